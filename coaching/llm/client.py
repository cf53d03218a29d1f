"""Asking a model for one JSON answer: transport tries, repairs, one deadline, all of it counted.

Two budgets, never mixed: a request that broke on the way is sent again (`tries`), an answer
that is wrong goes back with the exact list of what is wrong (`repairs`).
"""

import json
import re
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeVar

from pydantic import ValidationError

from coaching.llm import transport
from coaching.llm.errors import BadAnswer, Crowded, ModelDown, ModelError, ModelRefused
from coaching.llm.guard import Target
from coaching.llm.shapes import Pong, Shape, wire_schema

Mode = Literal["json_schema", "json_object", "none"]
MODES: Final[tuple[Mode, ...]] = ("json_schema", "json_object", "none")
MAX_RETRY_AFTER_S: Final = 8.0
MAX_PROBLEMS_SENT: Final = 12

Message = dict[str, str]
Answer = TypeVar("Answer", bound=Shape)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to ask. `mode` None tries json_schema first and steps down when refused."""

    target: Target
    model: str
    key: str = field(default="", repr=False)
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    deadline_s: float = 120.0
    call_s: float = 60.0
    tries: int = 3
    repairs: int = 2
    max_tokens: int = 1600


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request as it went, good or bad; tokens are None when the server did not say."""

    purpose: Literal["ask", "repair", "probe"]
    messages: tuple[Message, ...] = field(repr=False)
    outcome: str = "ok"
    answer: str = field(default="", repr=False)
    http_status: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    ms: int = 0


OnCall = Callable[[Call], None]
Check = Callable[[Any], Sequence[object]]
# Holds a place at the endpoint for one request; told how long it may wait. Raises Crowded.
Place = Callable[[float], AbstractContextManager[Any]]


def _ignore(_call: Call) -> None:
    """The listener for callers who do not count."""


def _allow() -> None:
    """The gate for callers who do not limit."""


def _anywhere(_wait_s: float) -> AbstractContextManager[Any]:
    """The place for callers who do not share an endpoint."""
    return nullcontext()


@dataclass(slots=True)
class Client:
    """Asks one endpoint. `on_call` hears every request made, failed ones included;
    `before_call` may refuse one (budget spent, lease lost) by raising; `place` bounds how many
    are under way at once, and what waiting for one takes is part of the deadline.
    """

    endpoint: Endpoint
    limits: Limits = field(default_factory=Limits)
    on_call: OnCall = _ignore
    before_call: Callable[[], None] = _allow
    place: Place = _anywhere
    sleep: Callable[[float], None] = time.sleep
    is_streaming: bool = False
    on_text: Callable[[int], None] | None = None

    def ask(
        self, messages: Sequence[Message], shape: type[Answer], *, check: Check | None = None
    ) -> Answer:
        """A checked answer. Raises ModelDown, ModelRefused, or BadAnswer after the last repair."""
        timer = transport.Timer(self.limits.deadline_s)
        asked: list[Message] = [*messages]
        problems: list[str] = []
        data: object = None
        for turn in range(self.limits.repairs + 1):
            text, call = self._send(asked, shape, timer, is_repair=turn > 0)
            answer, data, problems = _read(text, shape)
            if answer is not None and check is not None:
                problems = [str(problem) for problem in check(answer)]
            if not problems:
                assert answer is not None
                self.on_call(call)
                return answer
            self.on_call(replace(call, outcome="bad_answer: " + "; ".join(problems)[:2000]))
            asked = [*messages, *_repair(text, problems)]
        raise BadAnswer(
            "The model's answer could not be used: " + "; ".join(problems[:3]),
            problems=problems,
            data=data,
        )

    # -- one exchange, sent up to `tries` times ----------------------------------------------

    def _send(
        self,
        messages: list[Message],
        shape: type[Shape],
        timer: transport.Timer,
        *,
        is_repair: bool,
    ) -> tuple[str, Call]:
        modes = [self.endpoint.mode] if self.endpoint.mode else list(MODES)
        tries = 0
        while True:
            mode = modes[0]
            call = Call(
                purpose="repair" if is_repair else "ask",
                messages=tuple(_with_shape(messages, shape)),
            )
            self.before_call()
            began = time.monotonic()
            try:
                body = self._body(call.messages, shape, mode, is_repair=is_repair)
                with self.place(timer.left() / 2):
                    text, extra = self._exchange(body, timer)
            except Crowded:
                raise  # nothing was asked
            except ModelError as failed:
                ms = round((time.monotonic() - began) * 1000)
                self.on_call(
                    replace(call, outcome=failed.reason, http_status=failed.http_status, ms=ms)
                )
                if isinstance(failed, ModelRefused):
                    # Older servers answer 400 to a structured-output form they do not know.
                    if failed.http_status in (400, 422) and len(modes) > 1:
                        modes.pop(0)
                        continue
                    raise
                tries += 1
                wait = _wait(failed, tries)
                if tries >= self.limits.tries or wait >= timer.left():
                    raise
                self.sleep(wait)
                continue
            if self.endpoint.mode is None:
                self.endpoint = replace(self.endpoint, mode=mode)  # known from here on
            ms = round((time.monotonic() - began) * 1000)
            return text, replace(
                call, answer=text.removesuffix(_CUT), http_status=200, ms=ms, **extra
            )

    def _body(
        self, messages: Sequence[Message], shape: type[Shape], mode: Mode, *, is_repair: bool
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.endpoint.model,
            "messages": list(messages),
            "temperature": 0 if is_repair else 0.4,
            "max_tokens": self.limits.max_tokens,
        }
        if mode == "json_schema":
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {
                    "name": shape.__name__,
                    "schema": wire_schema(shape),
                    "strict": True,
                },
            }
        elif mode == "json_object":
            body["response_format"] = {"type": "json_object"}
        return body

    def _exchange(self, body: dict[str, Any], timer: transport.Timer) -> tuple[str, dict[str, Any]]:
        ask: dict[str, Any] = {
            "target": self.endpoint.target,
            "path": "/chat/completions",
            "key": self.endpoint.key,
            "timer": timer,
            "call_s": self.limits.call_s,
        }
        if not self.is_streaming:
            return _unpack(transport.send(**ask, body=body))
        return self._unpack_stream(
            transport.stream(
                **ask, body=body | {"stream": True, "stream_options": {"include_usage": True}}
            )
        )

    def _unpack_stream(self, events: Any) -> tuple[str, dict[str, Any]]:
        text, finish, usage = "", None, None
        for event in events:
            usage = event.get("usage") or usage
            for choice in event.get("choices") or []:
                delta = choice.get("delta") or {}
                text += delta.get("content") or ""
                finish = choice.get("finish_reason") or finish
            if self.on_text is not None:
                self.on_text(len(text))
        if finish is None:
            raise ModelDown("The stream ended in the middle.", reason="cut_stream")
        return _finished(text, finish), _usage(usage)


def probe(
    endpoint: Endpoint,
    *,
    limits: Limits | None = None,
    on_call: OnCall = _ignore,
    before_call: Callable[[], None] = _allow,
    place: Place = _anywhere,
) -> Mode:
    """The strictest way of asking this endpoint obeys; raises ModelError when none works.

    A mode counts only if the answer is right: a server that accepts json_schema but does not
    enforce it shows in the answer, not in the status.
    """
    last: ModelError | None = None
    for mode in MODES:
        client = Client(
            replace(endpoint, mode=mode),
            limits=limits or Limits(deadline_s=45, call_s=20, tries=2, repairs=0, max_tokens=64),
            on_call=lambda call: on_call(replace(call, purpose="probe")),
            before_call=before_call,
            place=place,
        )
        question = {"role": "user", "content": 'Say that you are ready: {"word": "ready"}.'}
        try:
            client.ask([question], Pong)
        except BadAnswer as wrong:
            last = wrong
        except ModelRefused as refused:
            if refused.http_status not in (400, 422):
                raise
            last = refused
        else:
            return mode
    assert last is not None
    raise last


# -- reading what came -----------------------------------------------------------------------


def _unpack(body: bytes) -> tuple[str, dict[str, Any]]:
    try:
        data = json.loads(body)
        choice = data["choices"][0]
        content = choice["message"].get("content")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        # 200 with HTML, a body cut short, another API: the way is broken, not the answer.
        raise ModelDown(
            "The model's server answered with something that is no completion.", reason="garbled"
        ) from None
    text = content if isinstance(content, str) else ""
    return _finished(text, choice.get("finish_reason")), _usage(data.get("usage"))


_CUT: Final = "\x00cut"


def _finished(text: str, finish_reason: str | None) -> str:
    return text + _CUT if finish_reason == "length" else text


def _usage(usage: object) -> dict[str, Any]:
    out = {}
    for name in ("prompt_tokens", "completion_tokens"):
        value = usage.get(name) if isinstance(usage, dict) else None
        is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**8
        out[name] = value if is_count else None
    return out


def _read(text: str, shape: type[Answer]) -> tuple[Answer | None, object, list[str]]:
    """(answer or None, the parsed data as far as it went, what is wrong)."""
    if text.endswith(_CUT):
        return None, None, ["The answer was cut off at the token limit: be much shorter."]
    if not text.strip():
        return None, None, ["The answer was empty."]
    data = find_object(text)
    if data is None:
        return None, None, ["The answer holds no JSON object."]
    try:
        return shape.model_validate(data), data, []
    except ValidationError as wrong:
        problems = [
            f"{'.'.join(str(part) for part in error['loc']) or 'answer'}: {error['msg']}"
            for error in wrong.errors(include_url=False, include_context=False, include_input=False)
        ]
        return None, data, problems


def find_object(text: str) -> dict[str, Any] | None:
    """The JSON object in a text: the whole of it, in a fence, or the first that parses."""
    text = text.rpartition("</think>")[2]
    fenced = re.findall(r"```(?:json)?\s*(\{.*?\})\s*```", text, re.DOTALL)
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    for candidate in [text.strip(), *fenced]:
        try:
            data = decoder.decode(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            return data
    for start in [match.start() for match in re.finditer(r"\{", text)][:20]:
        try:
            data, _end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict) and data:
            return data
    return None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _with_shape(messages: Sequence[Message], shape: type[Shape]) -> list[Message]:
    """The messages with the shape spelled out: servers without structured output need it."""
    schema = json.dumps(wire_schema(shape), separators=(",", ":"))
    rule = {
        "role": "system",
        "content": f'Answer with one JSON object of the shape "{shape.__name__}" and nothing else. '
        f"JSON schema: {schema}",
    }
    return [rule, *messages]


def _repair(text: str, problems: list[str]) -> list[Message]:
    listed = "\n".join(f"- {problem}" for problem in problems[:MAX_PROBLEMS_SENT])
    return [
        {"role": "assistant", "content": text.removesuffix(_CUT)[:8000] or "(empty)"},
        {
            "role": "user",
            "content": "That answer cannot be used. Answer again with the whole JSON object, "
            f"changing only what is wrong:\n{listed}",
        },
    ]


def _wait(failed: ModelError, tries: int) -> float:
    asked = failed.retry_after if isinstance(failed, ModelDown) else None
    if asked is not None:
        return min(asked, MAX_RETRY_AFTER_S)
    return 0.5 * 2 ** (tries - 1)
