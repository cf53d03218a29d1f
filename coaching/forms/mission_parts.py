"""What a mission is made of, as forms: the wizard's steps, and their answers read over."""

import re
import zoneinfo
from datetime import date
from typing import Any

from django import forms

from coaching.domain.missions.profile import DAYS, EXPERIENCE, WORKOUT_TYPES
from coaching.models import Mission
from racecontrol.shared.errors import RaceError

INJURIES = 3
DATE = {"widget": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}
_LINE = re.compile(r"(\d{4}-\d{2}-\d{2})[\s,;]+([a-z][a-z0-9_]*)[\s,;]*(.*)", re.IGNORECASE)


class RefusableForm(forms.Form):
    """A form that can show what a service refused, beside the field it names."""

    # Field of the service -> field of the form, where they differ; the longest prefix wins.
    renamed: dict[str, str] = {}

    def add_refusal(self, refusal: RaceError) -> None:
        if not refusal.fields:
            self.add_error(None, str(refusal))
        for name, faults in refusal.fields.items():
            field = name
            for prefix in sorted(self.renamed, key=len, reverse=True):
                if name == prefix or name.startswith(f"{prefix}."):
                    field = self.renamed[prefix]
                    break
            else:
                field = name.rpartition(".")[2] if name not in self.fields else name
            for fault in faults:
                words = fault if field in self.fields else f"{name}: {fault}"
                self.add_error(field if field in self.fields else None, words)


def zone_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(zoneinfo.available_timezones()) if "/" in name] + [
        ("UTC", "UTC")
    ]


# -- stages as lines -------------------------------------------------------------------------


def read_stage_lines(text: str) -> dict[str, Any]:
    """'2026-06-06 flat Harbour' a line; 'rest' is a rest day. Raises ValidationError by line."""
    stages: list[dict[str, Any]] = []
    rests: list[str] = []
    for index, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line:
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise forms.ValidationError(
                f"Line {index}: write a date and a type, such as 2026-06-06 flat Harbour loop."
            )
        on, kind, name = found.groups()
        try:
            date.fromisoformat(on)
        except ValueError:
            raise forms.ValidationError(f"Line {index}: {on} is no date.") from None
        if kind.lower() == "rest":
            rests.append(on)
        else:
            stages.append({"on": on, "type": kind.lower(), "name": name.strip()[:80]})
    stages.sort(key=lambda stage: stage["on"])
    return {
        "stages": [{"number": n, **stage} for n, stage in enumerate(stages, start=1)],
        "rest_days": sorted(rests),
    }


def write_stage_lines(plan: dict[str, Any] | None) -> str:
    plan = plan or {}
    lines = [
        (s.get("on", ""), f"{s.get('on', '')} {s.get('type', '')} {s.get('name') or ''}".strip())
        for s in plan.get("stages") or []
        if s.get("type") != "event"
    ]
    lines += [(day, f"{day} rest") for day in plan.get("rest_days") or []]
    return "\n".join(line for _on, line in sorted(lines))


class StageLines(forms.CharField):
    def __init__(self, **kwargs: Any):
        super().__init__(
            required=False,
            label="Stages",
            help_text="One a line: date, type (flat, hilly, mountain, itt, mtn_itt), name. "
            "A line with “rest” is a rest day. Leave empty for an event without stages.",
            widget=forms.Textarea(
                attrs={"rows": 8, "placeholder": "2026-06-06 flat Harbour loop\n2026-06-07 rest"}
            ),
            **kwargs,
        )

    def clean(self, value: Any) -> dict[str, Any]:
        return read_stage_lines(super().clean(value))


class DayLines(forms.CharField):
    """Dates, one a line or with commas between."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            required=False,
            label="Blocked days",
            help_text="Days without any training, such as 2026-05-10, one a line.",
            widget=forms.Textarea(attrs={"rows": 3}),
            **kwargs,
        )

    def clean(self, value: Any) -> list[str]:
        days = []
        for word in re.split(r"[\s,;]+", super().clean(value).strip()):
            if not word:
                continue
            try:
                days.append(date.fromisoformat(word).isoformat())
            except ValueError:
                raise forms.ValidationError(f"{word} is no date; write 2026-05-10.") from None
        return days


# -- parts a mission is made of, used by the wizard and by the edit page ---------------------


class EventPart(RefusableForm):
    event_name = forms.CharField(max_length=120, label="Event")
    mission_type = forms.ChoiceField(choices=Mission.Kind.choices, label="Kind of event")
    event_start = forms.DateField(label="First event day", **DATE)
    event_end = forms.DateField(label="Last event day", **DATE)
    timezone = forms.ChoiceField(
        choices=zone_choices,
        label="Time zone",
        help_text="Mornings and dates are those of this zone.",
    )
    goals = forms.CharField(
        max_length=500,
        required=False,
        label="What do you want from it?",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="In your own words; the model reads this as information.",
    )

    def answers(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        for name in ("event_start", "event_end"):
            data[name] = data[name].isoformat()
        return data


class StagesPart(RefusableForm):
    stages = StageLines()
    renamed = {"stage_plan": "stages"}

    def answers(self) -> dict[str, Any]:
        return {"stage_plan": self.cleaned_data["stages"]}

    @staticmethod
    def initial_of(answers: dict[str, Any]) -> dict[str, Any]:
        return {"stages": write_stage_lines(answers.get("stage_plan"))}


class TimePart(RefusableForm):
    run_at = forms.TimeField(
        initial="05:30",
        label="Morning guidance at",
        help_text="Your local time, from 04:30 to 11:00.",
        widget=forms.TimeInput(
            attrs={"type": "time", "min": "04:30", "max": "11:00"}, format="%H:%M"
        ),
    )
    blocked_days = DayLines()
    email = forms.BooleanField(
        required=False, initial=True, label="Mail me each morning's guidance"
    )
    email_failures = forms.BooleanField(
        required=False, initial=True, label="Mail me when there is no guidance, and why"
    )
    auto_start = forms.BooleanField(
        required=False, label="Start by itself on the first day of preparation"
    )
    renamed = {"constraints.blocked_days": "blocked_days"}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for day in DAYS:
            self.fields[day] = forms.IntegerField(
                required=False, min_value=0, max_value=600, label=f"{day.title()} (min)"
            )
            self.renamed = {**self.renamed, f"availability.{day}": day}

    def answers(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "run_at": data["run_at"].strftime("%H:%M"),
            "availability": {day: data[day] for day in DAYS if data[day] is not None},
            "notifications": {"email": data["email"], "email_failures": data["email_failures"]},
            "auto_start": data["auto_start"],
            "blocked_days": data["blocked_days"],
        }

    @staticmethod
    def initial_of(answers: dict[str, Any]) -> dict[str, Any]:
        told = answers.get("notifications") or {"email": True, "email_failures": True}
        constraints = answers.get("constraints") or {}
        return {
            "run_at": answers.get("run_at") or "05:30",
            "blocked_days": "\n".join(constraints.get("blocked_days") or []),
            "auto_start": answers.get("auto_start"),
            **told,
            **(answers.get("availability") or {}),
        }


class RiderPart(RefusableForm):
    ftp = forms.FloatField(
        required=False, min_value=30, max_value=700, label="FTP (W)",
        help_text="The power you can hold for about an hour.",
    )  # fmt: skip
    weight_kg = forms.FloatField(required=False, min_value=25, max_value=250, label="Weight (kg)")
    experience = forms.ChoiceField(
        required=False, choices=[("", "not said"), *((e, e) for e in EXPERIENCE)]
    )

    def answers(self) -> dict[str, Any]:
        values = {k: v for k, v in self.cleaned_data.items() if v not in (None, "")}
        return {"rider_profile": values}

    @staticmethod
    def initial_of(answers: dict[str, Any]) -> dict[str, Any]:
        return dict(answers.get("rider_profile") or {})


LIMITS = (
    ("min_readiness", "No hard day below this readiness", 0, 100),
    ("force_rest_readiness", "Recovery only below this readiness", 0, 100),
    ("min_tsb", "No hard day below this form (TSB)", -100, 100),
    ("force_rest_tsb", "Recovery only below this form (TSB)", -100, 100),
    ("max_rhr", "No hard day above this resting heart rate", 30, 150),
    ("max_minutes", "Longest workout (min)", 0, 600),
)


class LimitsPart(RefusableForm):
    """Hard limits and injuries; each is checked in code, whatever the model writes."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name, label, low, high in LIMITS:
            self.fields[name] = forms.IntegerField(
                required=False, min_value=low, max_value=high, label=label
            )
        for n in range(INJURIES):
            self.fields[f"area_{n}"] = forms.CharField(
                required=False, max_length=40, label="Spare (knee, back …)"
            )
            self.fields[f"zone_{n}"] = forms.TypedChoiceField(
                required=False, coerce=int, empty_value=None, label="Nothing above zone",
                choices=[("", "–"), *((z, str(z)) for z in range(1, 8))],
            )  # fmt: skip
            self.fields[f"avoid_{n}"] = forms.MultipleChoiceField(
                required=False, label="Leave out", choices=[(k, k) for k in WORKOUT_TYPES],
                widget=forms.CheckboxSelectMultiple,
            )  # fmt: skip
        self.renamed = {f"constraints.injuries.{n}": f"area_{n}" for n in range(INJURIES)}

    @property
    def limit_fields(self) -> list[forms.BoundField]:
        return [self[name] for name, *_ in LIMITS]

    @property
    def injury_rows(self) -> list[list[forms.BoundField]]:
        return [
            [self[f"{part}_{n}"] for part in ("area", "zone", "avoid")] for n in range(INJURIES)
        ]

    def answers(self) -> dict[str, Any]:
        data = self.cleaned_data
        injuries = [
            {"area": data[f"area_{n}"], "max_zone": data[f"zone_{n}"], "avoid_types": data[f"avoid_{n}"]}
            for n in range(INJURIES)
            if data[f"area_{n}"]
        ]  # fmt: skip
        numbers = {name: data[name] for name, *_ in LIMITS if data[name] is not None}
        return {"limits": numbers, "injuries": injuries}

    @staticmethod
    def initial_of(answers: dict[str, Any]) -> dict[str, Any]:
        constraints = answers.get("constraints") or {}
        out = {name: constraints.get(name) for name, *_ in LIMITS}
        for n, injury in enumerate((constraints.get("injuries") or [])[:INJURIES]):
            out |= {
                f"area_{n}": injury.get("area"),
                f"zone_{n}": injury.get("max_zone"),
                f"avoid_{n}": injury.get("avoid_types") or [],
            }
        return out


def merged(answers: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The wizard's answers with a step's: limits, injuries and blocked days are one object."""
    constraints = dict(answers.get("constraints") or {})
    if "blocked_days" in new:
        constraints["blocked_days"] = new.pop("blocked_days")
    if "limits" in new:
        for name, *_ in LIMITS:
            constraints.pop(name, None)
        constraints |= new.pop("limits")
        constraints["injuries"] = new.pop("injuries")
    return {**answers, **new, "constraints": constraints}


def told(answers: dict[str, Any]) -> list[tuple[str, str]]:
    """The wizard's answers as lines a person can read over."""
    kinds = dict(Mission.Kind.choices)
    plan, constraints = answers.get("stage_plan") or {}, answers.get("constraints") or {}
    rider, mails = answers.get("rider_profile") or {}, answers.get("notifications") or {}
    labels = {name: label for name, label, *_ in LIMITS}
    lines = [
        ("Event", answers.get("event_name")),
        ("Kind", kinds.get(str(answers.get("mission_type")))),
        ("First day", answers.get("event_start")),
        ("Last day", answers.get("event_end")),
        ("Time zone", answers.get("timezone")),
        ("Goal", answers.get("goals")),
        ("Stages", "; ".join(write_stage_lines(plan).splitlines())),
        ("Morning at", answers.get("run_at")),
        ("Time", ", ".join(f"{day.title()} {minutes} min"
                           for day, minutes in (answers.get("availability") or {}).items())),
        ("Blocked days", ", ".join(constraints.get("blocked_days") or [])),
        ("Mail", ", ".join(name for name, key in (("guidance", "email"),
                                                  ("why there is none", "email_failures"))
                           if mails.get(key))),
        ("Starts by itself", "yes" if answers.get("auto_start") else ""),
        ("FTP", f"{rider['ftp']:g} W" if rider.get("ftp") else ""),
        ("Weight", f"{rider['weight_kg']:g} kg" if rider.get("weight_kg") else ""),
        ("Experience", rider.get("experience")),
        *((labels[name], constraints[name]) for name in labels if constraints.get(name) is not None),
    ]  # fmt: skip
    for injury in constraints.get("injuries") or []:
        spared = [f"nothing above zone {injury['max_zone']}"] if injury.get("max_zone") else []
        spared += [f"no {kind}" for kind in injury.get("avoid_types") or []]
        lines.append((f"To spare: {injury.get('area')}", ", ".join(spared) or "told to the model"))
    return [(label, str(text)) for label, text in lines if text not in (None, "")]
