"""What kind of session a race was, told by several signals and with stated confidence.

The round header of the event page and the code of the race page ([M1 …], [Q2 …]) decide; labels
support. Words in event names and class names are sponsors' copy and decide nothing: "Practice
Makes Perfect Hobbies 17.5 Buggy" follows its header. Truth table: 117 labels of recorded events.
"""

import re
from dataclasses import dataclass

RACE, PRACTICE, QUALIFYING, PRACTICEDAY = "race", "practice", "qualifying", "practiceday"
HIGH, MEDIUM, LOW = "high", "medium", "low"
STRONG, SUPPORTING, WEAK = "strong", "supporting", "weak"

_ROUNDS = (
    (re.compile(r"^(open\s+)?practice\b", re.IGNORECASE), PRACTICE),
    (re.compile(r"^(seeding|seed)\b", re.IGNORECASE), QUALIFYING),
    (re.compile(r"^(qualifiers?|qualifying|heats?)\b", re.IGNORECASE), QUALIFYING),
    (re.compile(r"^(mains?|finals?)\b", re.IGNORECASE), RACE),
)
_CODES = {"M": RACE, "Q": QUALIFYING, "P": PRACTICE, "S": QUALIFYING}
# A run of a ladder step for practice: "Semi A (Even) Practice". The class itself ends in the word.
_LADDER_PRACTICE = re.compile(
    r"\b(?:semi|quarter|final|main|lcq|last chance)\b.*\bpractice$", re.IGNORECASE
)
_LAST_CHANCE = re.compile(r"^(?:last chance qualifier|lcq)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Signal:
    """One hint: where it stands, what it says, how much it counts, and the words it read."""

    name: str
    says: str
    strength: str
    text: str


@dataclass(frozen=True, slots=True)
class Inference:
    session_type: str
    confidence: str
    signals: tuple[Signal, ...]

    @property
    def is_contradictory(self) -> bool:
        """Do signals that count (all but the weak) say different things?"""
        return len({one.says for one in self.signals if one.strength != WEAK}) > 1

    def signals_as_data(self) -> list[dict[str, str]]:
        return [
            {"name": one.name, "says": one.says, "strength": one.strength, "text": one.text}
            for one in self.signals
        ]


def infer_session_type(
    *,
    round_label: str = "",
    panel_code: str = "",
    url: str = "",
    class_name: str = "",
    main: str | None = None,
    final: int | None = None,
    heat: int | None = None,
    is_before_first_main: bool | None = None,
    morning_share: float | None = None,
) -> Inference:
    """Weigh the signals of one session.

    `is_before_first_main`: does it run before its event's first main (None: no mains known).
    `morning_share`: how much of the event's day had passed, 0 to 1. High needs two signals that
    agree and none against a strong one; a single strong one is medium; contradiction, or nothing
    strong, is low and reads as a race until a person looks.
    """
    signals = list(
        _signals(
            round_label, panel_code, url, class_name, main, final, heat, is_before_first_main,
            morning_share,
        )
    )  # fmt: skip
    if "practiceday" in {one.says for one in signals}:
        return Inference(PRACTICEDAY, HIGH, tuple(signals))
    special = next((one for one in signals if one.name == "ladder practice"), None)
    if special is not None:
        return Inference(PRACTICE, MEDIUM, tuple(signals))
    strong = {one.says for one in signals if one.strength == STRONG}
    if len(strong) == 1:
        says = strong.pop()
        against = [one for one in signals if one.says != says and one.strength == SUPPORTING]
        with_it = [one for one in signals if one.says == says]
        if against:
            confidence = MEDIUM if len(with_it) > 1 else LOW
        else:
            confidence = HIGH if len(with_it) > 1 else MEDIUM
        return Inference(says if confidence != LOW else RACE, confidence, tuple(signals))
    supported = {one.says for one in signals if one.strength == SUPPORTING}
    if not strong and supported == {RACE}:
        return Inference(RACE, MEDIUM, tuple(signals))
    return Inference(RACE, LOW, tuple(signals))


def _signals(
    round_label, panel_code, url, class_name, main, final, heat, is_before_first_main, morning_share
):
    if "/practice/" in url:
        yield Signal("address", PRACTICEDAY, STRONG, "/practice/")
    for pattern, says in _ROUNDS:
        if pattern.search(round_label.strip()):
            yield Signal("round header", says, STRONG, round_label)
            break
    if code_says := _CODES.get(panel_code.strip().upper()):
        yield Signal("panel code", code_says, STRONG, panel_code)
    if _LADDER_PRACTICE.search(class_name.strip()) and (main or final):
        yield Signal("ladder practice", PRACTICE, STRONG, class_name)
    elif main or final:
        words = f"{main}-Main" if main else f"1/{final} Final"
        yield Signal("label", RACE, SUPPORTING, words)
    elif _LAST_CHANCE.search(class_name.strip()):
        yield Signal("label", RACE, SUPPORTING, class_name)
    if heat and is_before_first_main:
        yield Signal("order", QUALIFYING, WEAK, "a heat before the first main")
    if morning_share is not None and heat and morning_share < 0.15:
        yield Signal("time of day", PRACTICE, WEAK, "among the first runs of the day")
