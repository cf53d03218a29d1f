"""A server that speaks OpenAI's chat API over real HTTP and misbehaves on request.

The model's name chooses the behaviour ("fake-429-twice"). Development and tests only: it is what
the client, the chaos hooks and the benchmark talk to. Nothing it says is coaching.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from coaching.llm import scripts
from racecontrol.shared.faulty_server import FaultyHandler, FaultyServer

BEHAVIOURS: Final = {
    "happy": "a good answer",
    "no-usage": "a good answer without token counts",
    "429-twice": "busy twice, then a good answer",
    "429-forever": "always busy, Retry-After 0",
    "500-once": "broken once, then a good answer",
    "500-forever": "always broken",
    "401": "does not know the key, and quotes it",
    "404": "knows no such model",
    "quota": "429 with insufficient_quota",
    "hang": "never answers",
    "bad-json-once": "half a JSON object, then a good answer",
    "bad-json": "always half a JSON object",
    "schema-once": "a wrong field, then a good answer",
    "schema": "always a wrong field",
    "prose": "a good answer in a fence with talk around it",
    "empty": "always an empty answer",
    "length": "always cut off at the token limit",
    "html": "200 with a web page",
    "cut-body": "closes in the middle of the body",
    "cut-stream": "a stream that ends in the middle",
    "drip": "a byte every tenth of a second, for ever",
    "drip-headers": "the same, within the headers",
    "oversize": "an endless body",
    "redirect": "sends the caller to another address",
    "no-schema": "400 for json_schema, then a good answer",
    "no-json-mode": "400 for any response_format, then a good answer",
    "lies-number": "a number that is no fact, always",
    "lies-number-once": "a number that is no fact, then a good answer",
    "lies-label": "another fact's number under readiness",
    "lies-date": "a wrong weekday",
    "lies-limit": "a workout longer than the athlete has",
    "lies-sum": "blocks that do not add up",
    "lies-link": "a link in the text",
    "lies-fact": "a fact that does not exist",
    "slow": "a good answer after half a second",
}
PREFIX: Final = "fake-"


@dataclass
class FakeOpenAI(FaultyServer):
    """The server and what it was asked: `with FakeOpenAI() as fake: … fake.base_url`."""

    port: int = 0
    host: str = "127.0.0.1"
    asked: list[dict[str, Any]] = field(default_factory=list)
    seen_keys: list[str] = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)
    on_chat: Callable[[dict[str, Any]], None] | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.listen(_Handler)

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    def calls(self, behaviour: str) -> int:
        return self.counts[PREFIX + behaviour]

    def note(self, body: dict[str, Any], key: str) -> int:
        """Remember a question; how often this model was asked before."""
        with self._lock:
            self.asked.append(body)
            self.seen_keys.append(key)
            before = self.counts[body.get("model", "")]
            self.counts[body.get("model", "")] += 1
            return before


class _Handler(FaultyHandler):
    server_of: FakeOpenAI

    def do_GET(self) -> None:
        if self.path.rstrip("/").endswith("/models"):
            models = [{"id": PREFIX + name, "object": "model"} for name in BEHAVIOURS]
            self.send_json(200, {"object": "list", "data": models})
        else:
            self.send_json(404, {"error": {"message": "no such address"}})

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        try:
            body = json.loads(self.rfile.read(size))
        except ValueError:
            self.send_json(400, {"error": {"message": "no JSON"}})
            return
        if not self.path.endswith("/chat/completions"):
            self.send_json(404, {"error": {"message": "no such address"}})
            return
        key = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        before = self.server_of.note(body, key)
        if self.server_of.on_chat is not None:
            self.server_of.on_chat(body)
        behaviour = str(body.get("model", "")).removeprefix(PREFIX)
        try:
            self._behave(behaviour, body, before, key)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    # -- behaviours --------------------------------------------------------------------------

    def _behave(self, name: str, body: dict[str, Any], before: int, key: str) -> None:
        form = (body.get("response_format") or {}).get("type")
        if name == "429-forever" or (name == "429-twice" and before < 2):
            self.send_json(429, {"error": {"message": "busy"}}, {"Retry-After": "0"})
        elif name == "500-forever" or (name == "500-once" and before < 1):
            self.send_json(500, {"error": {"message": "broken"}})
        elif name == "401":
            self.send_json(401, {"error": {"message": f"Incorrect API key provided: {key}"}})
        elif name == "404" or name not in BEHAVIOURS:
            self.send_json(404, {"error": {"message": "no such model"}})
        elif name == "quota":
            self.send_json(429, {"error": {"code": "insufficient_quota", "message": "empty"}})
        elif name == "redirect":
            self.send_json(307, {}, {"Location": "http://169.254.169.254/latest/meta-data"})
        elif (name == "no-schema" and form == "json_schema") or (name == "no-json-mode" and form):
            self.send_json(400, {"error": {"message": "response_format is not supported"}})
        elif name == "hang":
            self.wait(3600)
        elif name in ("drip", "drip-headers", "oversize"):
            self.pour(name)
        elif name == "html":
            self.send_raw(200, b"<!doctype html><title>Welcome</title><p>Sign in", "text/html")
        elif body.get("stream"):
            self._stream(name, _text(name, body, before))
        elif name == "cut-body":
            data = json.dumps(_completion(scripts.reply(body["messages"]), body)).encode()
            self.send_head(200, len(data), "application/json")
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
        else:
            if name == "slow":
                self.wait(0.5)
            reason = "length" if name == "length" else "stop"
            answer = _completion(_text(name, body, before), body, reason)
            if name == "no-usage":
                del answer["usage"]
            self.send_json(200, answer)

    def _stream(self, name: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        pieces = [text[at : at + 24] for at in range(0, len(text), 24)]
        for index, piece in enumerate(pieces):
            if name == "cut-stream" and index >= len(pieces) // 2:
                break
            self._event({"choices": [{"delta": {"content": piece}, "finish_reason": None}]})
        else:
            self._event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
            self._event({"choices": [], "usage": _USAGE})
            self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _event(self, data: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(data).encode() + b"\n\n")
        self.wfile.flush()


_USAGE: Final = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


def _completion(text: str, body: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    return {
        "id": "fake",
        "object": "chat.completion",
        "model": body.get("model"),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": reason,
            }
        ],
        "usage": dict(_USAGE),
    }


def _text(name: str, body: dict[str, Any], before: int) -> str:
    good = scripts.reply(body["messages"])
    if name.endswith("-once"):
        if before:
            return good
        name = name.removesuffix("-once")
    if name == "bad-json":
        return good[: len(good) // 2]
    if name == "schema":
        return json.dumps({**json.loads(good), "unheard_of": 1})
    if name == "prose":
        return f"Gladly! Here is the plan:\n```json\n{good}\n```\nHave a good ride!"
    if name == "empty":
        return ""
    if name == "length":
        return good[:40]
    if name.startswith("lies-"):
        return json.dumps(_LIES[name](json.loads(good)))
    return good


def _lie_in_text(words: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def lie(answer: dict[str, Any]) -> dict[str, Any]:
        field_name = next(
            (n for n in ("reason", "summary", "story", "goal_statement") if n in answer), None
        )
        return answer if field_name is None else answer | {field_name: words}

    return lie


def _lie_limit(answer: dict[str, Any]) -> dict[str, Any]:
    long = {
        "type": "endurance",
        "minutes": 599,
        "blocks": [{"zone": 2, "minutes": 599, "note": ""}],
    }
    return answer | {"workout": long} if "workout" in answer else answer


def _lie_sum(answer: dict[str, Any]) -> dict[str, Any]:
    if "workout" in answer:
        answer["workout"]["minutes"] += 7
    return answer


def _lie_fact(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"used_facts": ["F998"]} if "used_facts" in answer else answer


_LIES: Final = {
    "lies-number": _lie_in_text("Hold 487 watts for the whole of the ride and you will be fine."),
    "lies-label": _lie_in_text("Your readiness is 3, and that is all you need to know today."),
    "lies-date": _lie_in_text("On 30 February you will be ready."),
    "lies-limit": _lie_limit,
    "lies-sum": _lie_sum,
    "lies-link": _lie_in_text("Read more at https://example.com/plans about the ride of today."),
    "lies-fact": _lie_fact,
}
