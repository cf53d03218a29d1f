"""What stand-ins of other people's services share: a small server of our own that can go wrong.

Standard library only, so that a stand-in of the demo stays a small process. Development and tests.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up in the middle is what half the faults are for."""


class FaultyServer:
    """`with` it is up; `listen` binds it to a port (0: any free one) and to what answers."""

    host: str
    port: int

    def listen(self, handler: type["FaultyHandler"]) -> None:
        self.is_closing = threading.Event()
        bound = type(handler.__name__, (handler,), {"server_of": self})
        self._server = _QuietServer((self.host, self.port), bound)
        self._server.daemon_threads = True
        self._server.block_on_close = False

    @property
    def origin(self) -> str:
        return f"http://{self.host}:{self._server.server_port}"

    def serve_forever(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """End `serve_forever`; may be called from a signal handler."""
        self.is_closing.set()
        threading.Thread(target=self._server.shutdown, daemon=True).start()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_closing.set()
        self._server.shutdown()
        self._server.server_close()


class FaultyHandler(BaseHTTPRequestHandler):
    """Answers, and the ways to go wrong that every service knows."""

    server_of: Any
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: tests and commands print what matters."""

    def pour(self, kind: str) -> None:
        """An answer without end: "drip" a byte every tenth of a second, "drip-headers" the same
        within the headers, "oversize" as fast as it goes."""
        if kind == "drip-headers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        else:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Connection", "close")
            self.end_headers()
        piece = b" " * 65_536 if kind == "oversize" else b" "
        while not self.server_of.is_closing.is_set():
            self.wfile.write(piece)
            self.wfile.flush()
            if kind != "oversize":
                self.wait(0.1)

    def wait(self, seconds: float) -> None:
        """Sleep, but not past the server's end."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.server_of.is_closing.wait(0.05):
            pass

    def send_json(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        self.send_raw(status, json.dumps(data).encode(), "application/json", headers)

    def send_raw(
        self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        self.send_head(status, len(data), kind, headers)
        self.wfile.write(data)

    def send_head(
        self, status: int, size: int, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
