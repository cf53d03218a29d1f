"""An end to an outgoing call, however slowly the other side drips.

`requests` limits the time of each read, which an answer of a byte a second never exceeds: a timer
that rings a Watch shuts the call's sockets.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import requests
import urllib3

# What a read that waits as long as the whole call may end with, a moment before the alarm rings.
TOO_LATE: Final = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)


class Watch:
    """Shuts every socket of a call at its deadline."""

    def __init__(self) -> None:
        self._handles: list[socket.socket] = []
        self._lock = threading.Lock()
        self.is_over = False

    def add(self, sock: socket.socket) -> None:
        # A duplicate handle: TLS takes the first one over, shutting the twin still ends both.
        with self._lock:
            self._handles.append(socket.socket(fileno=os.dup(sock.fileno())))
            if self.is_over:
                self._shut()

    def ring(self) -> None:
        with self._lock:
            self.is_over = True
            self._shut()

    def _shut(self) -> None:
        for handle in self._handles:
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            for handle in self._handles:
                handle.close()
            self._handles.clear()


@contextmanager
def watched(seconds: float) -> Iterator[Watch]:
    """A watch that rings after so many seconds, unless the call is over by then."""
    watch = Watch()
    alarm = threading.Timer(seconds, watch.ring)
    alarm.daemon = True
    alarm.start()
    try:
        yield watch
    finally:
        alarm.cancel()
        watch.close()
