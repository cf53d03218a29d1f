"""Forms of missions: the wizard's steps, the draft, edits, check-in, answers, stages, settings."""

import re
import zoneinfo
from datetime import date
from typing import Any

from django import forms

from coaching.domain.missions.profile import DAYS, EXPERIENCE, WORKOUT_TYPES
from coaching.models import Mission, RunResponse
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


_LIMITS = (
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
        for name, label, low, high in _LIMITS:
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
        return [self[name] for name, *_ in _LIMITS]

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
        numbers = {name: data[name] for name, *_ in _LIMITS if data[name] is not None}
        return {"limits": numbers, "injuries": injuries}

    @staticmethod
    def initial_of(answers: dict[str, Any]) -> dict[str, Any]:
        constraints = answers.get("constraints") or {}
        out = {name: constraints.get(name) for name, *_ in _LIMITS}
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
        for name, *_ in _LIMITS:
            constraints.pop(name, None)
        constraints |= new.pop("limits")
        constraints["injuries"] = new.pop("injuries")
    return {**answers, **new, "constraints": constraints}


# -- the draft -------------------------------------------------------------------------------


class DraftForm(RefusableForm):
    """The model's proposal, to be edited and confirmed."""

    name = forms.CharField(max_length=80)
    event_name = forms.CharField(max_length=120, label="Event")
    mission_type = forms.ChoiceField(choices=Mission.Kind.choices, label="Kind of event")
    prep_start = forms.DateField(label="Preparation starts", **DATE)
    event_start = forms.DateField(label="First event day", **DATE)
    event_end = forms.DateField(label="Last event day", **DATE)
    llm_goal_statement = forms.CharField(
        max_length=600, required=False, label="Goal", widget=forms.Textarea(attrs={"rows": 3})
    )
    stages = StageLines()
    renamed = {
        "stage_plan": "stages",
        "goal_statement": "llm_goal_statement",
        "rest_days": "stages",
    }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name, label, low, high in _LIMITS:
            self.fields[name] = forms.IntegerField(
                required=False, min_value=low, max_value=high, label=label
            )

    def mission_data(self, answers: dict[str, Any]) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        plan = data.pop("stages")
        limits = {name: data.pop(name) for name, *_ in _LIMITS}
        constraints = dict(answers.get("constraints") or {})
        for name, *_ in _LIMITS:
            constraints.pop(name, None)
        constraints |= {name: value for name, value in limits.items() if value is not None}
        return data | {"stage_plan": plan, "constraints": constraints}

    @staticmethod
    def initial_of(answers: dict[str, Any], proposal: dict[str, Any] | None) -> dict[str, Any]:
        """The model's words first, the athlete's answers where it said nothing."""
        proposal = proposal or {}
        known = {
            name: proposal.get(name) or answers.get(name)
            for name in ("event_name", "mission_type", "event_start", "event_end")
        }
        limits = {
            **{k: v for k, v in (proposal.get("limits") or {}).items() if v is not None},
            **{k: v for k, v in (answers.get("constraints") or {}).items() if isinstance(v, int)},
        }
        plan = {"stages": proposal.get("stages"), "rest_days": proposal.get("rest_days")}
        has_plan = isinstance(plan["stages"], list) and plan["stages"]
        return {
            **known,
            **limits,
            "name": proposal.get("name") or answers.get("event_name"),
            "prep_start": proposal.get("prep_start"),
            "llm_goal_statement": proposal.get("goal_statement") or answers.get("goals"),
            "stages": write_stage_lines(plan if has_plan else answers.get("stage_plan")),
        }


# -- days ------------------------------------------------------------------------------------


class CheckInForm(RefusableForm):
    readiness = forms.IntegerField(
        min_value=0, max_value=100, label="How ready do you feel? (0–100)",
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )  # fmt: skip
    sleep_h = forms.FloatField(
        required=False, min_value=0, max_value=24, label="Sleep (h)",
        widget=forms.NumberInput(attrs={"step": "0.1"}),
    )  # fmt: skip
    soreness = forms.IntegerField(required=False, min_value=1, max_value=5, label="Soreness (1–5)")
    energy = forms.IntegerField(required=False, min_value=1, max_value=5, label="Energy (1–5)")
    stress = forms.IntegerField(required=False, min_value=1, max_value=5, label="Stress (1–5)")
    resting_hr = forms.IntegerField(
        required=False, min_value=25, max_value=200, label="Resting heart rate"
    )
    note = forms.CharField(
        required=False, max_length=500, label="Anything the coach should know?",
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def values(self) -> dict[str, Any]:
        return {k: v for k, v in self.cleaned_data.items() if k != "note" and v is not None}


class ResponseForm(RefusableForm):
    choice = forms.ChoiceField(
        choices=RunResponse.Choice.choices, label="What did you make of it?",
        widget=forms.RadioSelect,
    )  # fmt: skip
    note = forms.CharField(
        required=False, max_length=500, label="Note", widget=forms.Textarea(attrs={"rows": 2})
    )


class StageForm(RefusableForm):
    number = forms.TypedChoiceField(coerce=int, label="Stage")
    ride_mode = forms.ChoiceField(label="Ridden as")

    def __init__(self, *args: Any, stages: Any = (), modes: Any = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["number"].choices = [
            (s.number, f"{s.number} · {s.on:%a %-d %b} · {s.type}") for s in stages
        ]
        self.fields["ride_mode"].choices = [(mode, mode) for mode in modes]


# -- settings --------------------------------------------------------------------------------


class ModelForm(RefusableForm):
    base_url = forms.CharField(
        max_length=300, label="Address", help_text="The base address of an OpenAI-compatible API."
    )
    model = forms.CharField(max_length=120)
    api_key = forms.CharField(
        max_length=400,
        required=False,
        label="Key",
        help_text="Kept encrypted and never shown again; leave empty to keep the stored one.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    tokens_per_day = forms.IntegerField(
        required=False, min_value=0, max_value=10_000_000, label="Tokens a day at most"
    )


class EditForm(RefusableForm):
    """What of a mission may be edited now, in one form: the parts of the wizard, joined."""

    name = forms.CharField(max_length=80)
    notes = forms.CharField(
        max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For yourself; never sent to the model.",
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)
    renamed = {
        "stage_plan": "stages",
        "constraints.blocked_days": "blocked_days",
        "notifications": "email",
    }

    GROUPS = {
        "name": ("name", "notes", "event_name", "llm_goal_statement"),
        "dates": ("prep_start", "event_start", "event_end", "auto_start"),
        "zone": ("timezone",),
        "rules": ("mission_type", "stages"),
        "notifications": ("run_at", "email", "email_failures"),
    }

    def __init__(self, *args: Any, groups: list[str], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.groups = groups
        parts: list[forms.Form] = [DraftForm(), EventPart(), TimePart(), RiderPart(), LimitsPart()]
        for part in parts:
            for name, field in part.fields.items():
                if name not in ("goals",):
                    self.fields.setdefault(name, field)
            if isinstance(part, RefusableForm):
                self.renamed = {**part.renamed, **self.renamed}
        shown = {"version"} | {n for g in groups for n in self.GROUPS.get(g, ())}
        if "safety" in groups:
            shown |= {*DAYS, "blocked_days", *RiderPart.base_fields}
            shown |= set(LimitsPart().fields)
        for name in list(self.fields):
            if name not in shown:
                del self.fields[name]

    def data_for_edit(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        data.pop("version")
        out: dict[str, Any] = {}
        for name in ("name", "notes", "event_name", "llm_goal_statement", "prep_start",
                     "event_start", "event_end", "auto_start", "timezone", "mission_type",
                     "run_at"):  # fmt: skip
            if name in data:
                out[name] = data[name]
        if "stages" in data:
            out["stage_plan"] = data["stages"]
        if "email" in data:
            out["notifications"] = {
                "email": data["email"], "email_failures": data["email_failures"],
            }  # fmt: skip
        if "safety" in self.groups:
            limits = LimitsPart()
            limits.cleaned_data = data
            told = limits.answers()
            out["constraints"] = {
                **told["limits"], "injuries": told["injuries"], "blocked_days": data["blocked_days"],
            }  # fmt: skip
            out["availability"] = {day: data[day] for day in DAYS if data[day] is not None}
            out["rider_profile"] = {
                name: data[name] for name in RiderPart.base_fields if data[name] not in (None, "")
            }
        return out

    @staticmethod
    def initial_of(mission: Mission) -> dict[str, Any]:
        stored = {
            "constraints": mission.constraints,
            "availability": mission.availability,
            "notifications": mission.notifications,
            "rider_profile": mission.rider_profile,
            "run_at": mission.run_at.strftime("%H:%M"),
            "auto_start": mission.auto_start,
        }
        return {
            **TimePart.initial_of(stored),
            **RiderPart.initial_of(stored),
            **LimitsPart.initial_of(stored),
            "name": mission.name,
            "notes": mission.notes,
            "event_name": mission.event_name,
            "llm_goal_statement": mission.llm_goal_statement,
            "prep_start": mission.prep_start,
            "event_start": mission.event_start,
            "event_end": mission.event_end,
            "timezone": mission.next_tz or mission.tz,
            "mission_type": mission.mission_type,
            "stages": write_stage_lines(mission.current_rules.stage_plan),
            "version": mission.version,
        }


def told(answers: dict[str, Any]) -> list[tuple[str, str]]:
    """The wizard's answers as lines a person can read over."""
    kinds = dict(Mission.Kind.choices)
    plan, constraints = answers.get("stage_plan") or {}, answers.get("constraints") or {}
    rider, mails = answers.get("rider_profile") or {}, answers.get("notifications") or {}
    labels = {name: label for name, label, *_ in _LIMITS}
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
