"""A mail server of our own that can lose the connection where it hurts."""

import socketserver
import threading
from email import message_from_bytes
from email.message import Message
from typing import Literal, Self

Loses = Literal["", "before data", "after data", "at quit"]


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        mail = self.server.mail
        self.say("220 ready")
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                if mail.loses == "before data":
                    return
                self.say("354 go on")
                mail.got.append(message_from_bytes(self.read_data()))
                if mail.loses == "after data":
                    return
                self.say("250 kept")
            elif word == b"QUIT":
                if mail.loses != "at quit":
                    self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def read_data(self) -> bytes:
        lines = iter(self.rfile.readline, b".\r\n")
        return b"".join(lines)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    mail: "MailServer"


class MailServer:
    """`with` it is up at `port`; `got` are the mails it has, however it parted."""

    def __init__(self) -> None:
        self.loses: Loses = ""
        self.got: list[Message] = []

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.mail = self
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
