"""Who moved up: real events, the traps of their labels, and laws that hold for any event."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.domain.bumpups import CONFIDENT, HIGH, LOW, MEDIUM, OFFICIAL, detect
from ingestion.domain.ladder import MainRace, Start, ladders, read_rung
from racecontrol.testing.shared_cases import needs_shared, shared_json

TRUTH = "liverc/bumpups_ground_truth.json"


def race(
    race_id, label, order, *, slots=None, number=None, round="Main Events", **kwargs
) -> MainRace:
    """A main with drivers in finishing order; `slots` are their grid slots, by default 1, 2, 3 …"""
    slots = slots or range(1, len(order) + 1)
    starts = tuple(
        Start(driver_id=driver, position=place, slot=slot, laps=20)
        for place, (driver, slot) in enumerate(zip(order, slots, strict=True), start=1)
    )
    return MainRace(
        race_id=race_id, label=label, number=number, round=round, starts=starts, **kwargs
    )


def pairs(moves) -> set[tuple]:
    return {(m.lower_id, m.upper_id, m.driver_id) for m in moves}


# A club's night: C (6) -> B (4 direct + 2) -> A (4 direct + 2); two move up each time.
C = race("c", "Buggy C-Main", "mnopqr", number=1)
B = race("b", "Buggy B-Main", "ngmhij", number=2, slots=[6, 1, 5, 2, 3, 4])
A = race("a", "Buggy A-Main", "anbcgd", number=3, slots=[1, 5, 2, 3, 6, 4])
NIGHT = [C, B, A]


def test_the_top_of_a_lower_main_moves_up_and_up_again():
    found = detect(NIGHT)

    assert pairs(found.moves) == {
        ("c", "b", "m"), ("c", "b", "n"), ("b", "a", "n"), ("b", "a", "g")
    }  # fmt: skip
    assert not found.flagged
    assert {move.moved_again_to for move in found.moves if move.driver_id == "n"} == {"a", None}
    climber = next(m for m in found.moves if (m.lower_id, m.driver_id) == ("b", "n"))
    assert (climber.lower_position, climber.lower_slot) == (1, 6)
    assert (climber.upper_position, climber.upper_slot, climber.confidence) == (2, 5, HIGH)


def test_a_driver_who_did_not_start_the_higher_main_has_still_moved_up():
    starts = [*A.starts[:-2], replace(A.starts[-2], laps=0, position=6), A.starts[-1]]
    found = detect([C, B, replace(A, starts=tuple(starts))])

    move = next(m for m in found.moves if (m.lower_id, m.driver_id) == ("b", "g"))
    assert move.upper_dns


def test_the_heat_sheet_outranks_the_finish():
    sheet = replace(A, official_slots=frozenset({5, 6}))

    assert {m.confidence for m in detect([B, sheet]).moves} == {OFFICIAL}


def test_a_slot_the_heat_sheet_does_not_mark_is_flagged():
    found = detect([B, replace(A, official_slots=frozenset({5}))])

    assert pairs(found.moves) == {("b", "a", "n")}
    assert "heat sheet" in found.flagged[0].flags[0]


def test_a_replacement_from_further_back_is_flagged_not_asserted():
    """The fifth of the B-Main stands in for the second, who went home."""
    found = detect([B, race("a", "Buggy A-Main", "anbcid", number=3, slots=[1, 5, 2, 3, 6, 4])])

    assert pairs(found.moves) == {("b", "a", "n")}
    assert pairs(found.flagged) == {("b", "a", "i")}
    assert "Finished 5 below, but 2 moved up." in found.flagged[0].flags


def test_without_the_grid_only_the_finish_speaks():
    bare = replace(A, starts=tuple(replace(s, slot=None) for s in A.starts))

    assert {m.confidence for m in detect([B, bare]).moves} == {MEDIUM}


def test_a_missing_result_leaves_a_hint_for_a_person():
    found = detect([replace(C, starts=()), B, A])

    assert pairs(found.moves) == {("b", "a", "n"), ("b", "a", "g")}
    assert pairs(found.flagged) == {("c", "b", "m"), ("c", "b", "n")}
    assert {move.confidence for move in found.flagged} == {LOW}


def test_nobody_jumps_over_a_missing_main():
    skipper = race("a", "Buggy A-Main", "anbcmd", number=3, slots=[1, 5, 2, 3, 6, 4])

    for races in ([C, skipper], [C, replace(B, starts=()), skipper]):
        found = detect(races)
        assert not found.moves
        assert ("c", "a", "n") in pairs(found.flagged)


def test_a_lower_main_that_ran_later_gives_nothing():
    assert not detect([replace(B, number=9), A]).steps


def test_the_clock_overrules_the_number():
    noon = datetime(2026, 5, 1, 12)
    late = replace(B, completed_at=noon + timedelta(hours=1))

    assert not detect([late, replace(A, completed_at=noon)]).steps


def test_legs_of_a_main_are_one_main():
    legs = [
        race(f"{letter}{leg}", f"EP Buggy {letter}{leg}-Main", people, number=leg * 2 + (letter == "A"))
        for letter, people in (("A", "abcdef"), ("B", "ghijkl"))
        for leg in (1, 2, 3)
    ]  # fmt: skip

    assert not detect(legs).steps


def test_a_single_b_main_may_feed_a_triple_a_main():
    b = race("b", "Mod B-Main", "ghij", number=1)
    legs = [
        race(f"a{leg}", f"Mod A{leg}-Main", "abcg", number=1 + leg, slots=[1, 2, 3, 4])
        for leg in (1, 2, 3)
    ]

    found = detect([b, *legs])

    assert pairs(found.moves) == {("b", "a1", "g")}


def test_even_and_odd_feed_the_same_next_final():
    quarter_even = race("qe", "Buggy 1/4 Even Final", "abcdefgh", number=1)
    quarter_odd = race("qo", "Buggy 1/4 Odd Final", "ijklmnop", number=2)
    semi_even = race(
        "se", "Buggy 1/2 Even Final", "stuvawxb", number=3, slots=[1, 2, 3, 4, 7, 5, 6, 8]
    )
    semi_odd = race("so", "Buggy 1/2 Odd Final", "yiz1j2", number=4, slots=[1, 5, 2, 3, 6, 4])
    final = race("f", "Buggy 1/1 Final", "syt1", number=5, slots=[1, 2, 3, 4])

    found = detect([final, semi_odd, quarter_odd, semi_even, quarter_even])

    assert pairs(found.moves) >= {
        ("qe", "se", "a"), ("qe", "se", "b"), ("qo", "so", "i"), ("qo", "so", "j"),
        ("se", "f", "s"), ("se", "f", "t"), ("so", "f", "y"),
    }  # fmt: skip
    assert pairs(found.flagged) == {("so", "f", "1")}


def test_the_winner_of_the_last_chance_comes_from_there_and_not_from_the_semi():
    semi = race("s", "Buggy Semi Final", "abcdefgh", number=1)
    lcq = race("l", "Last Chance Qualifier A-Main", "fghe", number=2)
    final = race("f", "Buggy Final", "abcf", number=4)
    other = race("o", "Truggy A-Main", "wxyz", number=3)

    found = detect([semi, lcq, final, other])

    assert pairs(found.moves) == {("s", "f", x) for x in "abc"} | {("l", "f", "f")}
    assert not found.flagged


def test_a_race_missing_in_between_leaves_nothing_sure():
    """The last of the four came through a last chance that nobody can see any more."""
    semi = race("s", "Buggy Semi Final", "abcdefgh", number=1)
    final = race("f", "Buggy Final", "abcd", number=3, slots=[1, 2, 3, 4])

    assert {m.confidence for m in detect([semi, final]).moves} == {MEDIUM}
    assert {m.confidence for m in detect([semi, replace(final, number=2)]).moves} == {HIGH}


def test_without_its_semis_a_last_chance_belongs_to_the_main_that_follows():
    lcq = race("l", "Last Chance Qualifier A-Main", "fghe", number=5)
    final = race("f", "Buggy A-Main", "abcf", number=6)

    assert pairs(detect([lcq, final]).moves) == {("l", "f", "f")}
    assert not detect([lcq, replace(final, number=7)]).steps


def test_a_direct_qualifier_who_helped_out_below_is_flagged():
    """Second on the A grid, and winner of the B-Main all the same."""
    b = race("b", "Mod B-Main", "xefgh", number=1)
    a = race("a", "Mod A-Main", "axbcdef", number=2, slots=[1, 2, 3, 4, 5, 6, 7])

    found = detect([b, a])

    assert pairs(found.flagged) == {("b", "a", "x")}
    assert "direct qualifiers" in found.flagged[0].flags[0]
    assert pairs(found.moves) == {("b", "a", "e"), ("b", "a", "f")}


def test_semis_entered_as_classes_of_their_own_belong_to_the_class_they_feed():
    even = race("e", "Semi A (Even) A-Main", "abcdefgh", number=1)
    odd = race("o", "Semi B (Odd) A-Main", "ijklmnop", number=2)
    final = race("f", "Buggy A-Main", "aibj", number=3, slots=[1, 2, 3, 4])
    practice = race("p", "Semi A (Even) Practice A-Main", "abcdefgh", number=0)

    found = detect([practice, even, odd, final])

    assert pairs(found.moves) == {
        ("e", "f", "a"), ("e", "f", "b"), ("o", "f", "i"), ("o", "f", "j")
    }  # fmt: skip


def test_rounds_whose_numbers_restart_are_ordered_by_label_when_no_clock_helps():
    lower = replace(B, number=7, round="Main Events 1")

    assert pairs(detect([lower, replace(A, number=1, round="Main Events 2")]).moves)


def test_a_driver_without_laps_below_did_not_earn_the_place():
    starts = (*B.starts[:1], replace(B.starts[1], laps=0), *B.starts[2:])

    found = detect([replace(B, starts=starts), A])

    assert pairs(found.flagged) == {("b", "a", "g")}


def test_a_whole_field_that_appears_again_did_not_move_up():
    field = "abcdefghij"
    found = detect(
        [race("b", "Mod B-Main", field, number=1), race("a", "Mod A-Main", field, number=2)]
    )

    assert not found.moves


@pytest.mark.parametrize(
    ("label", "class_name", "rank"),
    [
        ("Race 14: 1/8 Nitro Buggy (1/8 Nitro Buggy A-Main)", "1/8 Nitro Buggy", 0),
        ("Race 11: ISTC - 21.5T C3-Main", "ISTC - 21.5T", 2),
        ("Buggy 1/16 Odd Final", "Buggy", 4),
        ("Buggy (Buggy 1/2 Even Final)", "Buggy", 1),
        ("Buggy 1/1 Final", "Buggy", 0),
        ("1/8 Truggy Semi Final A", "1/8 Truggy", 1),
        ("1/8 Nitro Buggy Final", "1/8 Nitro Buggy", 0),
        ("Touring B-Final", "Touring", 1),
        ("Last Chance Hobbies Buggy B-Main", "Last Chance Hobbies Buggy", 1),
        ("Practice Makes Perfect Hobbies 17.5 Buggy A-Main", "Practice Makes Perfect Hobbies 17.5 Buggy", 0),
    ],
)  # fmt: skip
def test_labels_name_a_rung(label, class_name, rank):
    rung = read_rung(label)

    assert (rung.class_name, rung.rank, rung.is_last_chance) == (class_name, rank, False)


@pytest.mark.parametrize(
    "label",
    [
        "1/8 Nitro Buggy  (Heat 3/3)",
        "Main Event (Heat 1/32)",
        "EP-T STOCK Heat 2",
        "Semi A (Even) Practice A-Main",
        "Junior Racers",
    ],
)
def test_other_labels_name_none(label):
    assert read_rung(label) is None


def test_mains_of_a_practice_round_are_none():
    assert not ladders([replace(A, round="Practice Round 1"), replace(B, session_type="practice")])


# -- laws


@st.composite
def meetings(draw) -> list[MainRace]:
    """A class with a ladder of single mains, sometimes a replacement, sometimes triple mains beside it."""
    levels = draw(st.integers(2, 5))
    moving = draw(st.integers(1, 4))
    direct = draw(st.integers(moving + 1, 8))
    rng = random.Random(draw(st.integers(0, 10_000)))
    races, waiting, driver = [], [], 0
    for level in range(levels - 1, -1, -1):
        fresh = list(range(driver, driver + direct))
        driver += direct
        grid = fresh + waiting
        order = list(range(len(grid)))
        rng.shuffle(order)
        number = levels - level
        races.append(
            race(
                f"m{level}",
                f"Buggy {chr(65 + level)}-Main",
                [grid[n] for n in order],
                slots=[n + 1 for n in order],
                number=number,
                completed_at=datetime(2026, 5, 1, 9) + timedelta(minutes=30 * number),
            )
        )
        finished = [grid[n] for n in order]
        waiting = finished[:moving]
        if draw(st.booleans()) and draw(st.booleans()):
            waiting = [*waiting[:-1], finished[-1]]
    for leg in (1, 2, 3):
        people = [f"e{n}" for n in rng.sample(range(8), 8)]
        races.append(race(f"e{leg}", f"EP A{leg}-Main", people, number=levels + leg))
    return races


@st.composite
def brackets(draw) -> list[MainRace]:
    """Quarters and semis, even and odd, a last chance for the rest, a final; numbered as they ran."""
    moving, seeded = draw(st.integers(1, 3)), draw(st.integers(0, 4))
    rng = random.Random(draw(st.integers(0, 10_000)))
    free = iter(range(1000))
    races: list[MainRace] = []

    def run(race_id: str, label: str, grid: list) -> list:
        order = list(enumerate(grid, start=1))
        rng.shuffle(order)
        races.append(
            race(
                race_id,
                label,
                [driver for _, driver in order],
                slots=[slot for slot, _ in order],
                number=len(races) + 1,
            )
        )
        return [driver for _, driver in order]

    left, into_final = [], []
    firsts = {
        side: run(f"q{side}", f"Buggy 1/4 {side} Final", [next(free) for _ in range(8)])
        for side in ("Even", "Odd")
    }
    for side, order in firsts.items():
        direct = [next(free) for _ in range(8 - moving)]
        semi = run(f"s{side}", f"Buggy 1/2 {side} Final", [*direct, *order[:moving]])
        into_final.append(semi[:moving])
        left += semi[moving:]
    rescued = run("l", "Last Chance Qualifier A-Main", left[:10])[0]
    direct = [next(free) for _ in range(seeded)]
    bumped = [driver for pair in zip(*into_final, strict=True) for driver in pair]
    run("f", "Buggy 1/1 Final", [*direct, *bumped, rescued])
    return races


def asserted(races) -> set[tuple]:
    return {(m.lower_id, m.upper_id, m.driver_id, m.confidence) for m in detect(races).moves}


@settings(max_examples=80, deadline=None)
@given(brackets())
def test_a_bracket_is_found_whole(races):
    """Everybody in the final from a semi or the last chance, everybody in a semi from a quarter."""
    by_id = {one.race_id: one for one in races}
    moving = sum(
        s.driver_id in {x.driver_id for x in by_id["qEven"].starts} for s in by_id["sEven"].starts
    )
    expected = set()
    for side in ("Even", "Odd"):
        ordered = [s.driver_id for s in by_id[f"s{side}"].starts]
        quarter = [s.driver_id for s in by_id[f"q{side}"].starts]
        expected |= {(f"q{side}", f"s{side}", driver) for driver in quarter[:moving]}
        expected |= {(f"s{side}", "f", driver) for driver in ordered[:moving]}
    expected.add(("l", "f", by_id["l"].starts[0].driver_id))

    found = detect(races)

    assert pairs(found.moves) == expected
    assert not found.flagged


@settings(max_examples=80, deadline=None)
@given(st.one_of(meetings(), brackets()), st.randoms(use_true_random=False))
def test_the_order_races_come_in_does_not_matter(races, rng):
    shuffled = races.copy()
    rng.shuffle(shuffled)

    assert detect(shuffled) == detect(races)


@settings(max_examples=80, deadline=None)
@given(meetings())
def test_both_label_forms_say_the_same(races):
    def in_long_form(one):
        name = read_rung(one.label).class_name
        return replace(one, label=f"Race {one.number}: {name} ({one.label})")

    assert asserted([in_long_form(one) for one in races]) == asserted(races)


@settings(max_examples=150, deadline=None)
@given(st.one_of(meetings(), brackets()), st.sets(st.integers(0, 7)), st.booleans())
def test_missing_races_never_create_a_confident_bump_up(races, missing, is_listed):
    """Neither a race that is gone nor one whose result could not be read."""
    whole = pairs(m for m in detect(races).moves if m.confidence in CONFIDENT)
    left = [
        replace(one, starts=()) if is_listed else one
        for n, one in enumerate(races)
        if is_listed or n not in missing
    ]
    if is_listed:
        left = [replace(one, starts=()) if n in missing else one for n, one in enumerate(races)]

    found = pairs(m for m in detect(left).moves if m.confidence in CONFIDENT)

    assert found <= whole


@settings(max_examples=80, deadline=None)
@given(meetings())
def test_a_move_is_always_between_two_results_of_the_same_driver(races):
    by_id = {one.race_id: {s.driver_id for s in one.starts} for one in races}
    for move in detect(races).moves:
        assert move.driver_id in by_id[move.lower_id] & by_id[move.upper_id]
        assert move.lower_position <= len(by_id[move.lower_id])


# -- the recorded event


def recorded(name: str) -> MainRace:
    page = shared_json(f"liverc/dev/{name}.expected.json")
    listed = shared_json("liverc/dev/event_486677.expected.json")["races"]
    race_id = page["_url"].rsplit("=", 1)[1]
    row = next(r for r in listed if r["race_id"] == race_id)
    return from_list(row, page["length_seconds"], page["results"])


def from_list(row: dict, seconds: float | None = None, results=()) -> MainRace:
    return MainRace(
        race_id=row["race_id"],
        label=row["link_text"],
        class_name=row["class_label"],
        round=row["round"],
        number=row["race_number"],
        completed_at=datetime.fromisoformat(row["completed_local"]),
        length=timedelta(seconds=seconds) if seconds else None,
        starts=tuple(
            Start(r["driver_id"], r["position"], r["qual"], r["laps"], r["driver_name"])
            for r in results
        ),
    )


def recorded_event() -> list[MainRace]:
    rows = shared_json("liverc/dev/event_486677.expected.json")["races"]
    told = {
        r.race_id: r for r in map(recorded, ("race_6304829_amain_2026", "race_6304830_bmain_2026"))
    }
    return [told.get(row["race_id"]) or from_list(row) for row in rows]


@needs_shared
def test_the_recorded_event_is_found_exactly():
    truth = shared_json(TRUTH)
    found = detect(recorded_event())

    expected = {
        (p["lower"]["race_id"], p["upper"]["race_id"], e["driver_id"], e["lower_position"],
         e["lower_qual"], e["upper_qual"], e["upper_position"], e["upper_laps"])
        for p in truth["positive"] for e in p["edges"]
    }  # fmt: skip
    assert {
        (m.lower_id, m.upper_id, m.driver_id, m.lower_position,
         m.lower_slot, m.upper_slot, m.upper_position, m.upper_laps)
        for m in found.moves
    } == expected  # fmt: skip
    assert {m.confidence for m in found.moves} == {HIGH}
    (step,) = (s for s in found.steps if s.asserted)
    assert {s.driver_id for s in step.direct} == {
        d["driver_id"] for d in truth["positive"][0]["direct_qualifiers"]
    }
    assert set(step.stayed) == set(truth["positive"][0]["lower_only"])


@needs_shared
def test_what_only_the_grid_suggests_is_not_asserted():
    truth = shared_json(TRUTH)["inferred_unconfirmed"][0]

    flagged = detect(recorded_event()).flagged

    assert {m.driver_id for m in flagged} == {c["driver_id"] for c in truth["candidates"]}
    assert {m.confidence for m in flagged} == {LOW}
