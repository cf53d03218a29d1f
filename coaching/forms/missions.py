"""Forms of missions: the draft, edits, check-in, answers, stages, settings."""

from typing import Any

from django import forms

from coaching.domain.missions.profile import DAYS
from coaching.forms.mission_parts import (
    DATE,
    LIMITS,
    EventPart,
    LimitsPart,
    RefusableForm,
    RiderPart,
    StageLines,
    TimePart,
    write_stage_lines,
)
from coaching.models import Mission, RunResponse
from racecontrol.shared.listing import WordsFilter

# -- the draft -------------------------------------------------------------------------------


class MissionFilter(WordsFilter):
    """Missions by words and state."""

    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "all"), *Mission.States.choices]
    )


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
        for name, label, low, high in LIMITS:
            self.fields[name] = forms.IntegerField(
                required=False, min_value=low, max_value=high, label=label
            )

    def mission_data(self, answers: dict[str, Any]) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        plan = data.pop("stages")
        limits = {name: data.pop(name) for name, *_ in LIMITS}
        constraints = dict(answers.get("constraints") or {})
        for name, *_ in LIMITS:
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

    def __init__(self, *args: Any, **kwargs: Any):
        # Two forms of the page have a note: each field has an id of its own.
        super().__init__(*args, **{"auto_id": "check_in_%s"} | kwargs)

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

    @staticmethod
    def initial_of(response: RunResponse | None) -> dict[str, Any] | None:
        return {"choice": response.choice, "note": response.note} if response else None


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
