"""Every list can be filtered, paged and taken out, everywhere in the same way: new pages join by themselves.

A page with a table or feed shows it through `racecontrol.shared.listing`, or stands in BOUNDED with
what bounds it.
"""

import csv
import io
import re
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.test import RequestFactory

from racecontrol.shared.errors import InvalidInput
from racecontrol.shared.listing import Listing, WordsFilter
from racecontrol.shared.spreadsheets import cell
from racecontrol.testing.matrix import whole_pages

pytestmark = pytest.mark.django_db

ROWS = re.compile(r'<table class="table|<ul class="feed')
DRAWN = re.compile(r'<details class="chart-table">.*?</details>', re.DOTALL)
LIST = re.compile(r'data-list="([\w-]+)" data-api="([^"]*)"')

# page -> what bounds its rows, and where they can be taken out
BOUNDED = {
    "home": "cards of what matters now",
    "ops": "the newest of each kind; the admin filters, pages and exports",
    "api_docs": "the operations there are",
    "ingestion:event": "races of one event; results.csv, API",
    "ingestion:race": "one field of cars; results.csv, laps.csv, API",
    "ingestion:practice-day": "sessions of one day, filtered by class and driver; API",
    "ingestion:practice-driver-day": "one driver's sessions of one day; laps.csv each",
    "ingestion:practice-class-day": "one class on one day; laps.csv each",
    "ingestion:practice-driver-days": "one driver at one track, the newest sessions; laps.csv each",
    "ingestion:practice-session": "laps of one session; laps.csv",
    "ingestion:event-practice": "one driver's sessions of one day beside their runs of one event; API",
    "ingestion:event-bump-ups": "moves of one event, filtered by class; API",
    "ingestion:bump-ups": "classes, tracks and seasons, filtered; API",
    "runplans:plan": "stints of one plan; CSV, JSON",
    "runplans:shared": "stints of one plan; the page prints",
    "runplans:print": "stints of one plan",
    "strategy:team": "people and cars of one team; API",
    "strategy:pairs": "the drivers of one event; API",
    "strategy:strategy": "stints of one plan and its newest versions; CSV, JSON, calendar",
    "strategy:compare": "stints of two plans",
    "strategy:schedule": "stints of one plan; CSV, JSON, calendar",
    "strategy:print": "stints of one plan",
    "strategy:report": "stints, drivers and stops of one race; CSV, JSON",
    "strategy:wall": "stints of one race and its newest log lines; API",
    "strategy:my-turn": "one driver's stints of one race",
    "coaching:session": "laps of one heat; laps.csv, API",
    "coaching:athlete": "the newest; all are under activities",
    "coaching:mission": "steps of one mission; API",
    "coaching:mission_calendar": "days of one month; API",
    "coaching:mission_board": "stages of one mission; API",
}

# no list in JSON: who asks for it by program, and where it is instead
NO_JSON = {
    "to-review": "staff; every race says its type and confidence",
    "imports": "one's own are under /jobs, one by one under /imports",
    "orp-history": "every session has its own /orp",
    "activities": "in the export of one's own data",
    "uploads": "in the export of one's own data",
}


def one_page(request, name, **more):
    """A list of the people there are."""
    people = get_user_model().objects.all()
    return Listing(request, people, name=name, columns={"name": "username"}, order=("pk",), **more)


def ask(**told):
    return RequestFactory().get("/people/", told)


def test_pages_follow_each_other_and_keep_the_filter(user, other, staff):
    first = one_page(ask(q="x"), "people", per_page=2)
    assert (len(first.rows), first.first_url, first.is_whole) == (2, "", False)

    cursor = re.search(r"cursor=([^&]+)", first.next_url)[1]
    last = one_page(ask(q="x", cursor=cursor), "people", per_page=2)

    assert "q=x" in first.next_url
    assert not set(first.rows) & set(last.rows)
    assert (last.next_url, last.first_url) == ("", "/people/?q=x")


def test_what_is_computed_is_paged_by_place():
    numbers = Listing(ask(), range(30), name="n", columns={}, per_page=20)
    rest = Listing(ask(cursor="20"), range(30), name="n", columns={}, per_page=20)

    assert (list(numbers.rows)[-1], numbers.next_url) == (19, "/people/?cursor=20")
    assert (list(rest.rows), rest.next_url) == (list(range(20, 30)), "")


@pytest.mark.parametrize("cursor", ["-1", "x", "9" * 30, "²"])
def test_a_page_we_did_not_offer_is_refused(user, cursor):
    with pytest.raises(InvalidInput):
        one_page(ask(cursor=cursor), "people")
    with pytest.raises(InvalidInput):
        Listing(ask(cursor=cursor), [1], name="n", columns={})


def test_two_lists_of_a_page_turn_apart(user, other, staff):
    request = ask()
    one = one_page(request, "people", per_page=1)
    two = one_page(request, "others", per_page=1, cursor="others-cursor")

    assert "?cursor=" in one.next_url
    assert "?others-cursor=" in two.next_url
    assert one_page(ask(csv="others"), "people").wants_csv is False


def test_the_address_of_a_page_shown_after_a_post_holds_no_form_token(user, other):
    request = RequestFactory().post("/people/", {"q": "x", "csrfmiddlewaretoken": "secret"})

    found = one_page(request, "people", per_page=1, params=request.POST)

    assert "q=x" in found.next_url
    assert "secret" not in found.next_url + found.csv_url


def test_a_filter_that_does_not_pass_finds_nothing_and_says_why(user):
    words = WordsFilter({"q": "x" * 101})

    found = one_page(ask(q="x" * 101), "people", filters=words)

    assert (list(found.rows), found.is_ok) == ([], False)
    assert "at most 100" in str(words.errors["q"])


def test_the_file_holds_all_that_was_found_and_no_formula(user, other, staff):
    user.username = "=cmd()"
    user.save()

    answer = one_page(ask(csv="people"), "people", per_page=1).as_csv()

    lines = list(csv.reader(io.StringIO(answer.getvalue().decode())))
    assert lines[0] == ["name"]
    assert len(lines) == 1 + get_user_model().objects.count()
    assert ["'=cmd()"] in lines


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_text_that_would_be_run_is_defused(text):
    assert cell(text) == f"'{text}"


def test_numbers_keep_their_sign():
    assert (cell(-5), cell(None), cell(2.5)) == (-5, "", 2.5)


def test_every_list_is_filtered_paged_and_taken_out(staff):
    client, found = whole_pages(staff)
    faults, seen = [], set()
    for name, url, text in found:
        if not ROWS.search(DRAWN.sub("", text)):
            continue
        lists = LIST.findall(text)
        if not lists and name not in BOUNDED:
            faults.append(f"{name}: rows without a Listing; what bounds them?")
        if lists and 'class="filters' not in text:
            faults.append(f"{name}: no filter")
        for key, api in lists:
            seen.add(key)
            faults += faults_of_list(client, f"{name} {key}", url, key, unescape(api))
    assert not faults, "\n".join(faults)
    assert len(seen) > 12, seen


def faults_of_list(client, name, url, key, api):
    faults = []
    file = client.get(url, {"csv": key})
    if not file["Content-Type"].startswith("text/csv"):
        return [f"{name}: no file"]
    lines = list(csv.reader(io.StringIO(file.getvalue().decode())))
    if len(lines) < 2 or len({len(line) for line in lines}) != 1:
        faults.append(f"{name}: the file has {lines[:3]}")
    turned = {client.get(url, {at: "nonsense"}).status_code for at in ("cursor", f"{key}-cursor")}
    if 422 not in turned:
        faults.append(f"{name}: a page we did not offer answered {turned}")
    if api:
        told = client.get(api)
        if told.status_code != 200:
            faults.append(f"{name}: {api} answered {told.status_code}")
    elif key not in NO_JSON:
        faults.append(f"{name}: no JSON")
    return faults
