"""Charts: what is drawn stays in its picture, nothing hostile comes through, the table says the same."""

import itertools
from dataclasses import replace
from xml.etree.ElementTree import Element, fromstring

import pytest
from bs4 import BeautifulSoup
from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st

from racecontrol.shared.charts import (
    Amount,
    Bar,
    Group,
    Mark,
    Reference,
    Row,
    Rung,
    Series,
    Tier,
    bars,
    box_strip,
    ladder,
    line_chart,
    looks_of,
    position_chart,
    stint_bars,
)
from racecontrol.shared.charts.drawing import path_of
from racecontrol.shared.charts.labels import fit, fit_names, spread, text_width
from racecontrol.shared.charts.looks import look_of
from racecontrol.shared.charts.ticks import round_ticks, usual_range, whole_ticks
from racecontrol.templatetags import race_format

HOSTILE = '<script>alert(\'x\')</script>" onload="y" & ]]> \x00'
FORBIDDEN = {"onload", "onclick", "style"}
CRASH = 61_000


def drawings(chart) -> list[Element]:
    """The wide and the narrow drawing."""
    return list(fromstring(f"<both>{chart.svg}</both>"))


def shapes(drawing: Element, name: str) -> list[Element]:
    return [e for e in drawing.iter() if name in e.get("class", "").split()]


def points_of(path: str) -> list[tuple[float, float]]:
    pairs = path.replace("M", "L").split("L")[1:]
    return [tuple(float(part) for part in pair.split()) for pair in pairs]


def assert_inside(drawing: Element) -> None:
    """Every word and every line lies within the picture."""
    _, _, width, height = (float(part) for part in drawing.get("viewBox").split())
    font = float(drawing.get("font-size"))
    for element in drawing.iter():
        classes = element.get("class", "")
        if element.tag == "text":
            wide = text_width(element.text or "", font)
            shift = wide if "at-end" in classes else wide / 2 if "at-middle" in classes else 0
            left = float(element.get("x")) - shift
            assert left >= -1, element.text
            assert left + wide <= width + 1, element.text
            assert 0 <= float(element.get("y")) <= height, element.text
        elif element.tag == "path" and "C" not in element.get("d") and "H" not in element.get("d"):
            for x, y in points_of(element.get("d").split("V")[0]):
                assert -1 <= x <= width + 1, classes
                assert -1 <= y <= height + 1, classes


def laps(*times, label="Dana", **values) -> Series:
    return Series(label, list(enumerate(times, start=1)), **values)


def test_a_crash_lap_leaves_a_gap_and_a_sign_instead_of_flattening_the_rest():
    chart = line_chart([laps(24_300, 24_200, CRASH, 24_400, 24_100, 24_250)], title="Laps")

    for drawing in drawings(chart):
        (line,) = shapes(drawing, "line")
        assert line.get("d").count("M") == 2
        (sign,) = shapes(drawing, "mark-over")
        assert max(y for _, y in points_of(sign.get("d"))) < 20
        ys = [y for _, y in points_of(line.get("d"))]
        assert max(ys) - min(ys) > 150  # the other laps use the height
    assert ("▲", "above the scale") in chart.legend
    assert ["3", "1:01.000"] in chart.rows


def test_a_slow_driver_is_not_off_the_scale_beside_fast_ones():
    fast = [laps(*[20_000 + n * 10 for n in range(9)], label=f"fast {i}") for i in range(5)]
    slow = laps(*[31_000 + n * 10 for n in range(9)], label="slow")

    chart = line_chart([*fast, slow], title="Laps")

    assert not shapes(drawings(chart)[0], "mark-over")


def test_a_lap_that_was_not_timed_leaves_a_gap():
    chart = line_chart([laps(24_300, 24_200, None, 24_400, 24_500)], title="Laps")

    (line,) = shapes(drawings(chart)[0], "line")
    assert line.get("d").count("M") == 2
    assert chart.rows[2] == ["3", "–"]


def test_a_lap_between_two_gaps_is_a_dot():
    chart = line_chart([laps(None, 24_200, None)], title="Laps")

    assert len(shapes(drawings(chart)[0], "dot")) == 1
    assert not shapes(drawings(chart)[0], "line")


@pytest.mark.parametrize(
    "series",
    [
        pytest.param([], id="no series"),
        pytest.param([Series("Dana", [])], id="no laps"),
        pytest.param([laps(None, None)], id="no times"),
    ],
)
def test_nothing_to_draw_is_said_in_words(series):
    for chart in (line_chart(series, title="Laps"), position_chart(series, title="Places")):
        html = render_to_string("components/_chart.html", {"chart": chart})

        assert chart.is_empty
        assert "Nothing to draw yet" in html
        assert "<svg" not in html


@pytest.mark.parametrize(
    "series",
    [
        pytest.param([laps(24_300)], id="one lap"),
        pytest.param([laps(24_300, 24_300, 24_300)], id="all the same"),
        pytest.param([laps(0, 0)], id="zero"),
        pytest.param([laps(1, 10**12, 2, 10**9, 3)], id="huge"),
        pytest.param([laps(-5_000, 5_000)], id="below zero"),
        pytest.param([laps(24_300, 24_200, label="Q" * 300)], id="a long name"),
        pytest.param([laps(24_300, 24_200, label="")], id="no name"),
        pytest.param([laps(24_300, label=f"n{i}") for i in range(60)], id="sixty drivers at once"),
    ],
)
def test_extremes_stay_in_the_picture(series):
    for drawing in drawings(line_chart(series, title="Laps")):
        assert_inside(drawing)


@given(
    st.lists(
        st.lists(st.none() | st.integers(0, 10**7), min_size=1, max_size=12), min_size=1, max_size=6
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_the_laps_the_drawing_stays_in_the_picture(times):
    chart = line_chart([laps(*row, label=f"W{i} äöü") for i, row in enumerate(times)], title="x")

    for drawing in drawings(chart):
        assert_inside(drawing)


def test_names_at_the_line_ends_never_overlap():
    many = [laps(24_300 + i, 24_310, label=f"Driver {i}") for i in range(40)]

    for drawing in drawings(line_chart(many, title="Laps")):
        ys = sorted(float(group.find("text").get("y")) for group in shapes(drawing, "series-label"))
        assert min(b - a for a, b in itertools.pairwise(ys)) >= 13


def test_marks_have_their_own_shapes_and_words_in_the_table():
    marks = [Mark(1, "best"), Mark(2, "invalid", "cut the track"), Mark(3, "slow"), Mark(4, "pit")]
    chart = line_chart([laps(24_100, 24_200, 24_300, 24_400, marks=marks)], title="Laps")

    drawing = drawings(chart)[0]
    outlines = {shapes(drawing, f"mark-{kind}")[0].tag for kind in ("best", "invalid", "slow")}
    assert outlines == {"path"}
    assert shapes(drawing, "mark-pit")[0].tag == "circle"
    assert [row[1] for row in chart.rows] == [
        "24.100 (best lap)",
        "24.200 (cut the track)",
        "24.300 (slow lap)",
        "24.400 (pit stop)",
    ]
    assert len(chart.legend) == 4


def test_forty_series_differ_in_colour_or_dash():
    drawing = drawings(
        line_chart([laps(1, 2, label=f"n{i}") for i in range(40)], title="x", y_format=str)
    )[0]

    looks = {
        (group.get("class"), group.findall("path")[-1].get("stroke-dasharray"))
        for group in shapes(drawing, "series")
    }
    assert len(looks) == 40


def test_a_look_is_the_same_line_in_every_kind_of_chart_and_beside_the_name():
    look = looks_of(["Ann", "Bea", "Ann", "Cid"])["Cid"]
    line = drawings(line_chart([replace(laps(1, 2), look=look)], title="x", y_format=str))[0]
    bar = drawings(stint_bars([Row("Cid", [Bar(0, 1, "1", look=look)])], title="x"))[0]
    box = drawings(box_strip([Group("Cid", [1, 2, 3], look)], title="x"))[0]
    pen = fromstring(race_format.pen(look))

    drawn = [shapes(line, "series")[0], shapes(bar, "bar")[0], shapes(box, "box")[0], pen]
    assert look == 2
    assert all("c2" in one.get("class").split() for one in drawn)
    dashes = [one.findall("path")[-1].get("stroke-dasharray") for one in (drawn[0], pen)]
    assert dashes == ["2 3", "2 3"]


@given(st.integers(0, 39), st.integers(0, 39))
def test_two_looks_of_a_field_of_forty_are_never_the_same(one, other):
    assert (look_of(one) == look_of(other)) == (one == other)


def test_a_reference_widens_the_scale_to_be_seen():
    chart = line_chart(
        [laps(24_300, 24_400)], title="Laps", references=[Reference(23_000, "target")]
    )

    for drawing in drawings(chart):
        assert_inside(drawing)
        assert "target" in [e.text for e in drawing.iter("text")]


def test_the_leader_is_on_top_and_a_car_that_stopped_ends_early():
    chart = position_chart(
        [
            Series("first", [(0, 2), (1, 1), (2, 1)]),
            Series("stopped", [(0, 1), (1, 2)]),
            Series("last", [(0, 3), (1, 3), (2, 2)]),
        ],
        title="Places",
    )

    drawing = drawings(chart)[0]
    ends = {
        group.find("title").text: points_of(group.findall("path")[-1].get("d"))[-1]
        for group in shapes(drawing, "series")
    }
    assert ends["first"][1] < ends["last"][1]
    assert ends["stopped"][0] < ends["first"][0]
    assert chart.rows[0][0] == "grid"
    assert chart.rows[2] == ["2", "1", "", "2"]


def test_stints_lie_one_after_the_other_and_tell_their_times():
    chart = stint_bars(
        [
            Row(
                "Car 1",
                [Bar(0, 1_200_000, "Dana"), Bar(1_260_000, 2_400_000, "Sam", kind="planned")],
            )
        ],
        title="Stints",
        end=3_600_000,
        now=1_300_000,
    )

    assert chart.rows[1] == ["Car 1", "Sam", "21:00", "40:00", "19:00"]
    for drawing in drawings(chart):
        assert_inside(drawing)
        first, second = shapes(drawing, "bar")
        left = first.find("rect")
        assert float(left.get("x")) + float(left.get("width")) < float(second.find("rect").get("x"))
        assert len(shapes(drawing, "now")) == 1


def test_a_stint_too_short_for_its_words_is_still_a_bar_with_a_title():
    chart = stint_bars(
        [Row("Car 1", [Bar(0, 10, "Dana"), Bar(10, 3_600_000, "Sam")])], title="Stints"
    )

    for drawing in drawings(chart):
        short, _ = shapes(drawing, "bar")
        assert short.find("text") is None
        assert short.find("title").text == "Car 1: Dana"


def test_a_box_shows_quarters_and_counts_what_is_off_the_scale():
    chart = box_strip([Group("Dana", [24_000, 24_100, 24_200, 24_300, 24_400, CRASH])], title="x")

    assert chart.rows == [
        ["Dana", "6", "24.000", "24.125", "24.250", "24.375", "1:01.000"],
    ]
    for drawing in drawings(chart):
        assert_inside(drawing)
        assert len(shapes(drawing, "mark-over")) == 1
        assert "1 off the scale" in shapes(drawing, "box")[0].find("title").text


@pytest.mark.parametrize("values", [[24_000], [24_000, 24_000], [0, 0, 0, 0, 0]])
def test_a_box_of_few_or_equal_laps_is_drawn(values):
    for drawing in drawings(box_strip([Group("Dana", values), Group("none", [])], title="x")):
        assert_inside(drawing)
        assert len(shapes(drawing, "box")) == 1


MAINS = [
    Tier("C-Main", [Rung("kim", "Kim", "1", has_moved_up=True), Rung("lee", "Lee", "2")]),
    Tier("B-Main", [Rung("ana", "Ana", "1", has_moved_up=True), Rung("kim", "Kim", "DNS")]),
    Tier("A-Main", [Rung("dana", "Dana", "1"), Rung("ana", "Ana", "10", is_mine=True)]),
]


def test_a_bump_up_is_a_path_from_one_main_into_the_next():
    chart = ladder(MAINS, title="Mains")

    for drawing in drawings(chart):
        assert_inside(drawing)
        assert len(shapes(drawing, "climb")) == 2
        assert len(shapes(drawing, "moved-up")) == 2
    assert chart.rows[0] == ["A-Main", "1", "Dana", ""]
    assert ["C-Main", "1", "Kim", "bumped up"] in chart.rows


def test_a_bump_up_into_a_main_that_has_not_run_draws_no_path():
    chart = ladder(MAINS[:1], title="Mains")

    assert not shapes(drawings(chart)[0], "climb")
    assert len(shapes(drawings(chart)[0], "moved-up")) == 1


def test_bars_are_as_long_as_their_amounts():
    chart = bars([Amount("Buggy", 200), Amount("Truggy", 50), Amount("Nobody", 0)], title="Laps")

    long, short = shapes(drawings(chart)[0], "bar")
    widths = [
        float(next(shape for shape in bar if shape.tag.endswith("rect")).get("width"))
        for bar in (long, short)
    ]
    assert widths[0] == pytest.approx(4 * widths[1], abs=0.5)
    assert [row[:2] for row in chart.rows] == [["Buggy", "200"], ["Truggy", "50"]]


@pytest.mark.parametrize(
    "chart",
    [
        line_chart(
            [laps(1, 2, label=HOSTILE, marks=[Mark(1, "pit", HOSTILE)])],
            title=HOSTILE,
            x_label=HOSTILE,
            references=[Reference(1, HOSTILE)],
        ),
        position_chart([Series(HOSTILE, [(1, 1), (2, 1)])], title=HOSTILE),
        stint_bars([Row(HOSTILE, [Bar(0, 9_000_000, HOSTILE, HOSTILE)])], title=HOSTILE),
        box_strip([Group(HOSTILE, [1, 2, 3])], title=HOSTILE),
        bars([Amount(HOSTILE, 3, HOSTILE)], title=HOSTILE, x_label=HOSTILE),
        ladder([Tier(HOSTILE, [Rung("k", HOSTILE, "1", HOSTILE)])], title=HOSTILE),
    ],
    ids=lambda chart: chart.kind,
)
def test_hostile_names_stay_words(chart):
    html = render_to_string("components/_chart.html", {"chart": chart})

    read = BeautifulSoup(html, "lxml")
    assert not read.find("script")
    assert {name for element in read.find_all() for name in element.attrs} & FORBIDDEN == set()
    assert HOSTILE.replace("\x00", "") in read.get_text()
    assert "\x00" not in chart.svg


def test_text_is_cut_to_fit_and_never_longer():
    assert fit("Dana", 200, 12) == "Dana"
    assert fit("Dana Whitfield", 60, 12).endswith("…")
    assert text_width(fit("Dana Whitfield", 60, 12), 12) <= 60
    assert fit("Dana", 2, 12) == ""


def test_a_long_name_becomes_initial_and_surname_unless_two_would_be_the_same():
    assert fit_names(["Dana Whitfield", "Sam"], 90, 12) == ["D. Whitfield", "Sam"]
    assert fit_names(["Fatigue (ATL)", "Trend at most"], 60, 12) == ["Fatigue…", "Trend a…"]

    twins = fit_names(["Dana Maria Whitfield", "Dora Maria Whitfield"], 90, 12)
    assert twins[0].startswith("Dana")
    assert twins[1].startswith("Dora")


@given(st.lists(st.floats(-1e4, 1e4), max_size=30), st.floats(1, 30))
@settings(max_examples=100, deadline=None)
def test_spread_keeps_the_gap_the_order_and_the_bounds(wanted, gap):
    low, high = 0, 500
    places = spread(wanted, gap=gap, low=low, high=high)

    in_order = [places[i] for i in sorted(range(len(wanted)), key=lambda i: wanted[i])]
    room = min(gap, (high - low) / max(len(wanted) - 1, 1))
    for before, after in itertools.pairwise(in_order):
        assert after - before >= room - 0.11  # places are rounded to a tenth
    assert all(low - 0.1 <= place <= high + 0.1 for place in places)


def test_ticks_are_round():
    assert round_ticks(24_013, 24_979, is_time=True) == [24_200, 24_400, 24_600, 24_800]
    assert round_ticks(0, 3_600_000, is_time=True) == [n * 900_000 for n in range(5)]
    assert whole_ticks(1, 47) == [1, 10, 20, 30, 40]
    assert whole_ticks(1, 12) == [1, 4, 6, 8, 10, 12]
    assert whole_ticks(1, 1) == [1]
    assert path_of([(0, 1.25), (10, 2)]) == "M0 1.2L10 2"


def test_usual_is_judged_per_group():
    assert usual_range([[1, 2, 3]]) == (1, 3)
    assert usual_range([[100, 101, 102, 103, 900], []]) == (100, 103)
    assert usual_range([[100, 101, 102, 103], [900, 901, 902, 903]]) == (100, 903)
