"""The demonstration's stand-in for a model: our own scripted replies on the very same path."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coaching.llm import scripts
from coaching.llm.client import (
    Answer,
    Call,
    Check,
    Message,
    OnCall,
    _allow,
    _ignore,
    _read,
    _with_shape,
)
from coaching.llm.errors import BadAnswer


@dataclass(slots=True)
class ScriptedClient:
    """Asks nobody: reads our scripted reply, validates and checks it like any model's answer."""

    on_call: OnCall = _ignore
    before_call: Callable[[], None] = _allow

    def ask(
        self, messages: Sequence[Message], shape: type[Answer], *, check: Check | None = None
    ) -> Answer:
        self.before_call()
        sent = _with_shape(messages, shape)
        text = scripts.reply(sent)
        call = Call(purpose="ask", messages=tuple(sent), answer=text)
        answer, data, problems = _read(text, shape)
        if answer is not None and check is not None:
            problems = [str(problem) for problem in check(answer)]
        if problems or answer is None:
            self.on_call(
                Call(
                    purpose="ask",
                    messages=tuple(sent),
                    answer=text,
                    outcome="bad_answer: " + "; ".join(problems)[:2000],
                )
            )
            raise BadAnswer(
                "The scripted reply does not fit: " + "; ".join(problems[:3]),
                problems=problems,
                data=data,
            )
        self.on_call(call)
        return answer
