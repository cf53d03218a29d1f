"""How a stand-in misbehaves: each fault by name, for a number of requests to matching addresses."""

from dataclasses import dataclass
from typing import Final

KINDS: Final = {
    "429": "too many requests, Retry-After 60",
    "429-silent": "too many requests without saying until when",
    "401": "does not know the token, and quotes it",
    "403": "no permission for this",
    "404": "no such thing",
    "426": "the phone app is too old",
    "500": "broken",
    "503": "busy",
    "cut": "closes in the middle of the body",
    "html": "200 with a web page",
    "garbled": "200 with half a JSON object",
    "shape": "200 with JSON of another shape",
    "redirect": "sends the caller to another address",
    "hang": "never answers",
    "drip": "a byte every tenth of a second, for ever",
    "drip-headers": "the same, within the headers",
    "oversize": "an endless body",
    "invalid-grant": "the token address takes no refresh token",
    "lost-rotation": "rotates the refresh token and then breaks",
}


@dataclass
class Fault:
    """`times` requests whose address contains `path` get this; -1 for ever."""

    kind: str
    times: int = 1
    path: str = ""
    skip: int = 0

    def hits(self, path: str) -> bool:
        if not self.times or self.path not in path:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True
