"""Replies written by us, for the demonstration athlete and for the fake server.

They read the facts and limits of the prompt and keep to them, so that they pass the very checks
a model's words pass. They are labelled wherever they are shown and are no coaching: the product
never uses them for a real athlete (`services` refuses).
"""

import json
import re
from datetime import date
from typing import Any, Final

LABEL: Final = "DEMO"
_FACT = re.compile(r"^(F\d+) ([^:\n]+): (.+?)(?: \[[^\]\n]*\])?$", re.MULTILINE)
_SHAPE = re.compile(r'of the shape "(\w+)"')
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")

# Minutes and blocks (zone, minutes) of a day; the first that fits is taken.
Blocks = tuple[tuple[int, int], ...]
Menu = tuple[tuple[int, Blocks], ...]
Ride = tuple[str, str, str, int, Blocks]  # type, action, intensity, minutes, blocks
_EASY: Final[Menu] = ((45, ((1, 15), (2, 30))), (30, ((1, 10), (2, 20))), (20, ((1, 20),)))
_FIRM: Final[Menu] = (
    (75, ((2, 35), (3, 30), (1, 10))),
    (60, ((2, 30), (3, 20), (1, 10))),
    (45, ((2, 25), (3, 15), (1, 5))),
    (30, ((2, 20), (1, 10))),
    (20, ((2, 15), (1, 5))),
)
_HARD: Final[Menu] = (
    (75, ((2, 25), (4, 8), (1, 5), (4, 8), (1, 5), (4, 8), (1, 16))),
    (60, ((2, 20), (4, 8), (1, 6), (4, 8), (1, 18))),
)
_WHY: Final = (
    "Steady work is what carries you to the event, and today asks for no more than that.",
    "The body answers to what it can repeat; leave the ride with something in hand.",
    "Keep the effort even and let the legs come to you.",
    "Good preparation is dull on purpose, and this is one of those good dull days.",
    "Ride it as it is planned, eat early, and go to bed on time.",
)


def reply(messages: list[dict[str, str]]) -> str:
    """The scripted answer to a prompt, as the JSON text a model would return."""
    text = "\n".join(message["content"] for message in messages)
    found = _SHAPE.search(text)
    shape = found.group(1) if found else ""
    # The newest block of facts counts: repairs repeat the conversation.
    facts = {label.lower(): (fact_id, value) for fact_id, label, value in _FACT.findall(text)}
    return json.dumps(_REPLIES[shape](facts, text) if shape in _REPLIES else {"word": "ready"})


def _pong(_facts: dict, _text: str) -> dict[str, Any]:
    return {"word": "ready"}


def _ids(facts: dict, *labels: str) -> list[str]:
    named = [facts[label][0] for label in labels if label in facts]
    return named or [next(iter(facts.values()))[0]] if facts else ["F1"]


def _cap(text: str) -> int:
    caps = [int(m) for m in re.findall(r"^- At most (\d+) min", text, re.MULTILINE)]
    return min(caps, default=600)


def _day(text: str) -> date:
    found = _ISO.search(text)
    return date.fromisoformat(found.group()) if found else date(2026, 1, 1)


def _daily(facts: dict, text: str) -> dict[str, Any]:
    is_forced = "only action 'recover'" in text
    is_careful = "no push and no high intensity" in text
    today = facts.get("today", ("F1", "2026-01-01"))[1]
    number = _day(today).toordinal()
    kind, action, intensity, minutes, blocks = _ride(
        text, number=number, is_forced=is_forced, is_careful=is_careful
    )
    said = _state_of_the_day(facts)
    return {
        "action": action,
        "intensity": intensity,
        "headline": f"{LABEL}: " + {
            "rest": "a day off the bike", "recovery": "an easy spin",
            "endurance": "a steady ride", "threshold": "firm work in short pieces",
        }[kind],
        "reason": f"{LABEL}, not coaching. {said} {_WHY[number % len(_WHY)]}",
        "workout": {
            "type": kind,
            "minutes": minutes,
            "blocks": [
                {"zone": zone, "minutes": m, "note": _NOTES.get(zone, "")} for zone, m in blocks
            ],
        },
        "warnings": ["Stop if anything hurts."] if is_careful or is_forced else [],
        "used_facts": _ids(facts, "today", "readiness", "form (tsb)", "days to the event"),
        "confidence": 0.6,
    }  # fmt: skip


def _ride(text: str, *, number: int, is_forced: bool, is_careful: bool) -> Ride:
    """Firm and easy days take turns by the day's number; the limits in `text` have the last word."""
    kind, menu, action, intensity = "endurance", _FIRM, "maintain", "moderate"
    if number % 4 == 0 and not is_careful:
        kind, menu, action, intensity = "threshold", _HARD, "push", "high"
    elif number % 4 == 2:
        kind, menu, action, intensity = "recovery", _EASY, "ease", "low"
    if is_forced:
        kind, menu, action, intensity = "recovery", _EASY, "recover", "low"
    fitting = _fitting(menu, text)
    if not fitting:
        kind, action, intensity = "recovery", "ease" if not is_forced else "recover", "low"
        fitting = _fitting(_EASY, text)
    banned = re.findall(r"rules out ([a-z0-9_]+)", text)
    if "workout must be 'rest'" in text or not fitting or kind in banned:
        return "rest", "recover", "low", 0, ()
    return kind, action, intensity, *fitting[0]


def _fitting(menu: Menu, text: str) -> Menu:
    """What of the menu keeps to the minutes and zones `text` allows."""
    cap = _cap(text)
    most_zone = min((int(z) for z in re.findall(r"nothing above zone (\d)", text)), default=7)
    return tuple(
        (minutes, blocks)
        for minutes, blocks in menu
        if minutes <= cap and max(zone for zone, _ in blocks) <= most_zone
    )


_NOTES: Final = {
    1: "very easy, loose legs",
    2: "easy, able to talk",
    3: "firm but even",
    4: "hard, controlled",
}


def _state_of_the_day(facts: dict) -> str:
    parts = []
    if "readiness" in facts and facts["readiness"][1][0].isdigit():
        number = facts["readiness"][1].split()[0]
        parts.append(f"Your readiness is {number} this morning.")
    if "days to the event" in facts and facts["days to the event"][1][0].isdigit():
        parts.append(f"There are {facts['days to the event'][1]} to the event.")
    return " ".join(parts) or "Nothing measured this morning changes the plan."


def _event(facts: dict, text: str) -> dict[str, Any]:
    answer = _daily(facts, text)
    found = re.search(r"^- Ride modes today: ([a-z0-9_, ]+)", text, re.MULTILINE)
    modes = [mode.strip() for mode in found.group(1).split(",")] if found else ["rest"]
    today = facts.get("today", ("F1", "2026-01-01"))[1]
    day = _day(today)
    mode = modes[0]
    if answer["action"] == "recover" and "rest" in modes:
        mode = "rest"
    elif "breakaway" in modes and day.toordinal() % 3 == 0 and answer["action"] != "ease":
        mode = "breakaway"
    answer["ride_mode"] = mode
    answer["mode_rationale"] = {
        "rest": f"{LABEL}: today the legs come first, and the board can wait.",
        "breakaway": f"{LABEL}: the legs are good enough to go up the road today.",
    }.get(mode, f"{LABEL}: ride in the bunch, keep something for the days to come.")
    return answer


def _onboarding(facts: dict, _text: str) -> dict[str, Any]:
    days = facts.get("days to the event", ("", ""))[1]
    ahead = f"There are {days} to the event. " if days[:1].isdigit() else ""
    return {
        "headline": f"{LABEL}: your mission is set up",
        "summary": f"{LABEL}, not coaching. {ahead}Each morning you will find one piece of guidance "
        "here and in your mail, made from the facts of that day. Your limits are kept whatever the "
        "plan would like, and a day you block stays free. During the event the same page tells you "
        "how to ride the stage, and the board keeps the score.",
        "first_steps": [
            "Check in each morning; it takes half a minute.",
            "Tell the page whether you did, changed or skipped the day.",
        ],
        "used_facts": _ids(facts, "today", "days to the event", "event"),
    }


def _reflection(facts: dict, _text: str) -> dict[str, Any]:
    points = facts.get("points in total", ("", ""))[1]
    done = facts.get("stages ridden", ("", ""))[1]
    story = f"{LABEL}, not coaching. The mission is over and the board is closed. "
    if points[:1].isdigit():
        story += f"You leave it with {points}. "
    if done[:1].isdigit():
        story += f"You rode {done}. "
    return {
        "headline": f"{LABEL}: looking back",
        "story": story + "What carried you was turning up on the ordinary days, and that is "
        "the part to keep. The hard days will be remembered longer, but they stood on the others.",
        "went_well": ["You kept to your limits.", "You came back after the easy days."],
        "to_work_on": ["Check in on more mornings, so that less has to be guessed."],
        "used_facts": _ids(facts, "points in total", "stages ridden", "today"),
    }


def _draft(facts: dict, text: str) -> dict[str, Any]:
    def iso(label: str) -> str:
        found = _ISO.search(facts.get(label, ("", ""))[1])
        return found.group() if found else ""

    stages = []
    for label, (_fact_id, value) in facts.items():
        if numbered := re.fullmatch(r"stage (\d+)", label):
            on, _, kind = value.partition(" ")
            kind, _, name = kind.partition(" ")
            stages.append(
                {"number": int(numbered.group(1)), "on": on, "type": kind, "name": name.strip()}
            )
    rests = [
        found.group()
        for label, (_id, value) in facts.items()
        if label.startswith("rest day") and (found := _ISO.search(value))
    ]
    event = facts.get("event", ("", "The event"))[1]
    return {
        "name": f"{LABEL}: {event}"[:80],
        "mission_type": facts.get("kind of event", ("", "one_day"))[1].split()[0],
        "event_name": event[:120],
        "prep_start": iso("today"),
        "event_start": iso("first event day"),
        "event_end": iso("last event day"),
        "goal_statement": f"{LABEL}: reach the event healthy, enjoy it, and ride it to the end.",
        "stages": stages,
        "rest_days": rests,
        "limits": {
            "min_readiness": 60,
            "min_tsb": None,
            "max_rhr": None,
            "force_rest_readiness": 45,
            "force_rest_tsb": None,
        },
        "focus": ["Regular riding before hard riding.", "One long ride a week, kept easy."],
    }


_REPLIES: Final = {
    "Pong": _pong,
    "DailyCoaching": _daily,
    "EventCoaching": _event,
    "Onboarding": _onboarding,
    "Reflection": _reflection,
    "MissionDraft": _draft,
}
