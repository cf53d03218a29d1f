"""Scenario A or B: how much practice there is decides which setup changes are advised."""

from dataclasses import dataclass

EXPERIMENT_FROM = 3  # rounds of practice

# Every setup value people track: code -> what it is. F front, C centre, R rear.
PARAMETERS = {
    "DF": "Front diff oil",
    "DC": "Centre diff oil",
    "DR": "Rear diff oil",
    "SO_F": "Front shock oil",
    "SO_R": "Rear shock oil",
    "SP_F": "Front springs",
    "SP_R": "Rear springs",
    "SB_F": "Front sway bar",
    "SB_R": "Rear sway bar",
    "P_F": "Front pistons",
    "P_R": "Rear pistons",
    "Toe_F": "Front toe",
    "Toe_R": "Rear toe",
    "RH_F": "Front ride height",
    "RH_R": "Rear ride height",
    "C_F": "Front camber",
    "C_R": "Rear camber",
    "ST_F": "Front shock tower",
    "ST_R": "Rear shock tower",
    "Arm_F": "Front arm position",
    "Arm_R": "Rear arm position",
    "Tread": "Tyre tread",
    "Compound": "Tyre compound",
    "Venturi": "Venturi",
    "Pipe": "Pipe",
    "Clutch": "Clutch",
    "Bell": "Clutch bell",
    "Spur": "Spur gear",
}
# Tyres first: changing them is safe with any amount of practice.
SAFE = ("Tread", "Compound", "SO_F", "SO_R", "RH_F", "RH_R", "C_F", "C_R")
EXPERIMENTAL = ("DF", "DC", "DR", "P_F", "P_R", "Toe_F", "Toe_R", "ST_F", "ST_R", "Arm_F", "Arm_R")


@dataclass(frozen=True, slots=True)
class Scenario:
    code: str
    mode: str
    description: str
    allowed: tuple[str, ...]
    recommended_focus: str
    practice_rounds: int
    qualifying_rounds: int

    @property
    def allowed_names(self) -> list[str]:
        return [PARAMETERS[code] for code in self.allowed]


def scenario_for(*, practice_rounds: int, qualifying_rounds: int = 0) -> Scenario:
    """A from three rounds of practice on: experiments; otherwise B: tune what is there."""
    if practice_rounds >= EXPERIMENT_FROM:
        return Scenario(
            code="A",
            mode="avant_garde",
            description="Practice enough to experiment: bolder changes are welcome.",
            allowed=SAFE + EXPERIMENTAL,
            recommended_focus="Try combinations, one run for each.",
            practice_rounds=practice_rounds,
            qualifying_rounds=qualifying_rounds,
        )
    return Scenario(
        code="B",
        mode="tune_dont_pivot",
        description="Little practice: tune the setup you have, do not turn it over.",
        allowed=SAFE,
        recommended_focus="Small steps in tyres, shock oil, ride height and camber.",
        practice_rounds=practice_rounds,
        qualifying_rounds=qualifying_rounds,
    )


def warnings_for(parameter: str, *, scenario: Scenario, confidence: int | None) -> list[str]:
    """Why this change is not advised now; empty where it is. A person may go on in spite of them."""
    found = []
    if confidence is not None and confidence < 3:
        found.append(
            f"Confidence is {confidence}: drive until you trust the car before changing it."
        )
    if parameter not in scenario.allowed:
        name = PARAMETERS.get(parameter, parameter)
        found.append(f"{name} is not among the changes of scenario {scenario.code}.")
    return found
