"""The rules of an event as a crew reads them: only what is in force."""

from strategy.domain.regulations import ByCategory, PartRule, Regulations, read_regulations
from strategy.domain.stints.instance import read_instance
from strategy.models import RaceStrategy, StrategyEvent


def span(seconds: int) -> str:
    """5400 -> '1 h 30 min', 45 -> '45 s'."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{n} {unit}" for n, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if n]
    return " ".join(parts) or "0 s"


def told_rules(event: StrategyEvent) -> list[tuple[str, str]]:
    """(rule, what it says), in the order of a race weekend."""
    rules = read_regulations(event.regulations)
    lines = [
        ("Drivers", _between(rules.fewest_drivers, rules.most_drivers)),
        ("Drive time", _drive(rules.min_drive_s, rules.max_drive_s, rules.continuous_max_s)),
        ("Largest share", f"{rules.max_share_pct} % of the race" if rules.max_share_pct else ""),
        ("Fair share", f"{rules.fair_share_pct} % of equal" if rules.fair_share_pct else ""),
        ("Rest", span(rules.rest_s) if rules.rest_s else ""),
        ("Stints in a row", f"at most {rules.max_stints_in_a_row}"),
        *(("Rolling", f"at most {span(r.max_s)} in {span(r.window_s)}") for r in [rules.rolling] if r),
        *((", ".join(r.category) or "Nobody", _category(r)) for r in rules.by_category),
        *((g.name, f"{', '.join(g.category)} together at least {span(g.min_s)}"
           + (f", {span(g.block_min_s)} in every {span(g.block_s)}" if g.block_s else ""))
          for g in rules.groups),
        *((p.name, _part(p)) for p in rules.parts),
        ("Not at night", ", ".join(rules.no_night_categories)),
        ("Not in the wet", ", ".join(rules.no_wet_categories)),
        ("Longest stint", _longest(rules)),
        ("Starts", ", ".join(rules.start_drivers or ())),
        ("Finishes", ", ".join(rules.finish_drivers or ())),
        ("Stops", f"at least {rules.mandatory_stops}" if rules.mandatory_stops else ""),
        *((w.name, f"{w.stops} stop{'s' if w.stops > 1 else ''} from {span(w.from_s)} to "
           f"{span(w.to_s)}" + (f", each {span(w.min_total_s)} or longer" if w.min_total_s else ""))
          for w in rules.pit_windows),
        ("Pit lane", f"{rules.pit_lane_s:g} s"),
        ("Service", f"at least {span(rules.min_service_s)}" if rules.min_service_s else ""),
        ("Refuelling", f"at least {span(rules.min_refuel_s)}" if rules.min_refuel_s else ""),
        ("In to out", f"at least {span(rules.min_stop_s)}" if rules.min_stop_s else ""),
        ("Tyres", _tyres(rules)),
        *(("Heat rule", f"in force: at most {span(h.continuous_max_s)}, then {span(h.rest_s)} rest")
          for h in [rules.heat] if h and h.is_on),
        ("Source", rules.source),
    ]  # fmt: skip
    return [(name, text) for name, text in lines if text]


def told_numbers(row: RaceStrategy) -> list[tuple[str, str, bool]]:
    """What a strategy is planned with: (name, value, is it the team's own number)."""
    if not row.problem:
        return []
    race = read_instance(row.problem)
    usable = race.car.tank_ml - race.car.reserve_ml
    longest = min(usable // max(race.car.burn_ml.D, 1), race.car.tyre.life_laps)
    longest = min(longest, race.rules.max_stint_laps or longest)
    rest = max((who.min_rest_ms for who in race.drivers), default=0) // 1000
    tyres = "new at every stop" if race.rules.tyre_policy == "every_stop" else "as the team likes"
    return [
        ("Laps of the race", str(race.race.laps), False),
        ("Longest stint", f"{longest} laps", row.wish_stint_laps is not None),
        ("Fuel a stint", f"{usable / 1000:.1f} L", row.wish_stint_fuel_ml is not None),
        ("Rest", span(rest), row.wish_rest_s is not None),
        ("Through the lane", f"{race.pit.lane_ms / 1000:g} s", row.wish_pit_lane_s is not None),
        ("Tyres", tyres, bool(row.wish_tyres)),
    ]


def _between(least: int | None, most: int | None) -> str:
    if least and most:
        return f"{least} to {most}"
    return f"at least {least}" if least else f"at most {most}" if most else ""


def _drive(least: int | None, most: int | None, running: int | None) -> str:
    parts = [f"at least {span(least)}"] if least else []
    parts += [f"at most {span(most)}"] if most else []
    parts += [f"{span(running)} without a break"] if running else []
    return ", ".join(parts)


def _category(rule: ByCategory) -> str:
    return _drive(rule.min_s, rule.max_s, rule.continuous_max_s) or "as everybody"


def _part(rule: PartRule) -> str:
    who = ", ".join(rule.category) or "everybody"
    return f"{who}, {rule.from_pct} to {rule.to_pct} % of the race: {_drive(rule.min_s, rule.max_s, None)}"


def _longest(rules: Regulations) -> str:
    parts = [f"{rules.max_stint_laps} laps"] if rules.max_stint_laps else []
    parts += [span(rules.max_stint_s)] if rules.max_stint_s else []
    return ", ".join(parts)


def _tyres(rules: Regulations) -> str:
    words = "new at every stop" if rules.tyres == "every_stop" else "as the team likes"
    return f"{words}, {rules.tyre_sets} sets at most" if rules.tyre_sets else words
