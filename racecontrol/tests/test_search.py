"""One search over everything: who finds what, in which order, and at what price."""

import html
import re
from datetime import date

import pytest
from django.urls import reverse
from waffle.models import Flag

from coaching.services import garage
from coaching.tests.builders import make_profile, make_session
from coaching.tests.mission_builders import make_mission
from ingestion.tests.builders import make_driver, make_event, make_race, make_track
from racecontrol.shared import flags
from racecontrol.shared.search import MOST_SHOWN, Question, folded, terms_of
from racecontrol.testing.pages import HTMX, Page
from racecontrol.testing.people import signed_in
from runplans.tests.builders import make_plan
from strategy.models import RaceStrategy, Role
from strategy.tests.builders import make_event as make_race_event
from strategy.tests.builders import make_person, make_strategy, make_team

OF_THE_TEAM = {"team", "race_event", "strategy"}
PRIVATE = {"run_plan", "mission", "session", "car", "racer"}

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything_on")]


def kinds_found(person, words: str, **more) -> set[str]:
    hits = signed_in(person).get("/api/v1/search", {"q": words, "limit": 50} | more).json()
    return {hit["kind"] for hit in hits}


@pytest.fixture
def estate(user):
    """Something of every kind a person can own, each with "Zephyr" in its name."""
    team = make_team(user, "Zephyr Racing")
    make_strategy(user, "Zephyr Plan", drivers=2, team=team, track="Zephyr Ring")
    make_plan(user, title="Zephyr sprint")
    profile = make_profile(user, name="Zephyr Junior")
    garage.save_vehicle(by=user, profile_id=profile.pk, brand="Zephyr", model="B6")
    make_session(user, name="Zephyr test day")
    make_mission(user, name="Zephyr Tour")
    return team


def test_owners_find_all_that_is_theirs(estate, user):
    assert kinds_found(user, "zephyr") == OF_THE_TEAM | PRIVATE


@pytest.mark.parametrize("role", [Role.STRATEGIST, Role.DRIVER, Role.VIEWER])
def test_members_find_what_belongs_to_the_team_and_nothing_private(estate, role):
    mate = make_person("mia")
    estate.memberships.create(user=mate, role=role)

    assert kinds_found(mate, "zephyr") == OF_THE_TEAM


def test_strangers_with_an_account_find_nothing_and_staff_no_more(estate, other, staff):
    assert kinds_found(other, "zephyr") == set()
    assert kinds_found(staff, "zephyr") == set()
    for kind in OF_THE_TEAM | PRIVATE:
        assert kinds_found(other, "zephyr", kind=kind) == set()


def test_without_an_account_there_is_no_search(stranger, estate):
    assert stranger.get("/api/v1/search", {"q": "zephyr"}).status_code == 401
    assert stranger.get(reverse("search"), {"q": "zephyr"}).status_code == 302
    assert "palette" not in stranger.get("/").text


def test_who_left_the_team_no_longer_finds_it(estate, user):
    mate = make_person("mia")
    membership = estate.memberships.create(user=mate, role=Role.DRIVER)
    membership.delete()

    assert kinds_found(mate, "zephyr") == set()


def test_who_only_signed_up_finds_the_event_but_not_the_plans(user, other):
    team = make_team(user, "Night Owls")
    event = make_race_event(user, team=team, name="Open Enduro")
    event.signups.create(user=other)

    assert kinds_found(other, "open enduro") == {"race_event"}
    assert kinds_found(other, "night owls") == set()


def test_what_is_found_is_where_it_says(estate, user):
    client = signed_in(user)

    hits = client.get("/api/v1/search", {"q": "zephyr"}).json()

    assert {client.get(hit["url"]).status_code for hit in hits} == {200}


def test_plans_without_a_title_are_found_by_driver_track_and_id(user):
    plan = make_plan(user, title=None, driver={"name": "Zoë Ångström"}, track={"name": "Rundkurs"})

    for words in ("zoe angstrom", "rundkurs", str(plan.pk)[:8], "sprint zoe"):
        found = kinds_found(user, words)
        assert ("run_plan" in found) == (words != "sprint zoe")


def test_a_room_that_is_switched_off_is_not_searched(user):
    make_plan(user, title="Zephyr sprint")
    Flag.objects.filter(name=flags.RUN_PLANS_V1).update(everyone=False)

    assert kinds_found(user, "zephyr") == set()
    assert "New run plan" not in signed_in(user).get("/search/", {"q": "new run"}).text


def test_pages_and_actions_are_found_by_what_people_call_them(user, staff):
    def pages(words, person=user):
        hits = signed_in(person).get("/api/v1/search", {"q": words, "kind": "page"}).json()
        return [hit["name"] for hit in hits]

    assert pages("import ev") == ["Import an event"]
    assert "API tokens" in pages("api")
    assert pages("strava") == ["Connect a service"]
    assert pages("delete account") == ["Your data"]
    assert pages("operations") == []
    assert pages("operations", staff) == ["Operations"]


def test_every_page_offered_opens(staff):
    from racecontrol.navigation import PERSONAL, SECTIONS
    from racecontrol.places import ACTIONS

    client = signed_in(staff)
    for place in (*ACTIONS, *SECTIONS, *PERSONAL):
        assert client.get(reverse(place.url_name)).status_code == 200, place.name


def test_the_nearest_name_brings_its_group_to_the_top(user):
    make_driver("TEAMER ANN")
    make_team(user, "Harbour Club")
    make_plan(user, title="Harbour")

    hits = signed_in(user).get("/api/v1/search", {"q": "harbour"}).json()
    assert [hit["kind"] for hit in hits] == ["run_plan", "team"]

    hits = signed_in(user).get("/api/v1/search", {"q": "harbour cl"}).json()
    assert [hit["kind"] for hit in hits] == ["team"]


def test_a_few_of_a_kind_and_a_way_to_all_of_them(user):
    client = signed_in(user)
    for number in range(7):
        make_driver(f"ZEPHYR {number}")
        make_plan(user, title=f"Zephyr {number}")

    page = client.get(reverse("search"), {"q": "zephyr"})
    text = Page(page).text("search-found")
    whole = client.get(reverse("search"), {"q": "zephyr", "in": "run_plan"})

    assert text.count("all 7") == 2
    assert f"{reverse('ingestion:drivers')}?q=zephyr" in page.text
    assert "/search/?q=zephyr&amp;in=run_plan" in page.text
    assert page.text.count('class="hit"') == 10
    assert all(f"Zephyr {n}" in Page(whole).text("search-found") for n in range(7))
    assert "Drivers" not in Page(whole).text("search-found")


def test_a_kind_with_a_list_of_its_own_leads_there_with_the_words(estate, user):
    team = estate
    for number in range(6):
        make_mission(user, name=f"Zephyr Tour {number}")
        make_session(user, name=f"Zephyr day {number}")
        make_team(user, f"Racing Zephyr {number}")
        event = make_race_event(user, team=team, name=f"Zephyr {number} Hours")
        make_strategy_of(user, event, f"Zephyr {number}")
    client = signed_in(user)

    page = client.get(reverse("search"), {"q": "zephyr"})
    links = re.findall(r'class="hits-all" href="([^"]*)"', page.text)

    lists = ["strategy:home", "strategy:teams", "coaching:missions", "coaching:home"]
    assert {link.split("?")[0] for link in links} == {reverse(name) for name in lists}
    for link in links:
        assert "Zephyr" in Page(client.get(html.unescape(link))).text("main")
    reordered = client.get(reverse("strategy:teams"), {"q": "zephyr racing"})
    assert "Racing Zephyr 5" in Page(reordered).text("main")


def make_strategy_of(user, event, name):
    return RaceStrategy.objects.create(
        team=event.host, event=event, car=event.host.cars.first(), name=name
    )


def test_a_kind_without_a_list_is_looked_through_page_by_page(user):
    for number in range(MOST_SHOWN + 3):
        make_plan(user, title=f"Zephyr {number:02}")
    client, address = signed_in(user), reverse("search")

    first = client.get(address, {"q": "zephyr", "in": "run_plan"})
    follow = re.search(r'href="([^"]*from=50[^"]*)"', first.text)[1]
    second = client.get(address + html.unescape(follow))

    assert "1 to 50 of 53" in Page(first).text("search-found")
    assert "51 to 53 of 53" in Page(second).text("search-found")
    names = re.findall(r'class="hit-name">([^<]*)', first.text + second.text)
    assert len(set(names)) == MOST_SHOWN + 3
    assert "Next page" not in Page(second).text("search-found")
    for wrong in ("-1", "x", "99999999999"):
        assert (
            client.get(address, {"q": "zephyr", "in": "run_plan", "from": wrong}).status_code == 200
        )


def fill(user, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        track = make_track(f"zephyr{number}", name=f"Zephyr {number}")
        event = make_event(track=track, name=f"Zephyr Cup {number}")
        make_race(event=event, label=f"Buggy Zephyr{number} A-Main")
        make_driver(f"ZEPHYR ANN {number}")
        make_plan(user, title=f"Zephyr {number}")
        make_session(user, name=f"Zephyr {number}", start_date=date(2026, 5, 2))
        make_team(user, f"Zephyr {number}")


def test_the_number_of_queries_does_not_grow(user, django_assert_max_num_queries):
    client = signed_in(user)
    fill(user, 1)
    client.get(reverse("search"), {"q": "zephyr"})
    with django_assert_max_num_queries(40) as few:
        client.get(reverse("search"), {"q": "zephyr"})

    fill(user, 4, start=1)
    with django_assert_max_num_queries(len(few)):
        client.get(reverse("search"), {"q": "zephyr"})

    fill(user, 8, start=5)
    with django_assert_max_num_queries(len(few) + 8):  # and one to count, for each kind with more
        client.get(reverse("search"), {"q": "zephyr"})


def test_the_palette_gets_its_own_part_and_a_plain_browser_the_page(user):
    client = signed_in(user)
    make_driver("ANNA LANE")

    part = client.get(
        reverse("search"), {"q": "lane"}, headers=HTMX | {"HX-Target": "palette-found"}
    )
    page = client.get(reverse("search"), {"q": "lane"})

    assert "<html" not in part.text
    assert "Anna Lane" in Page(part).text("palette-found")
    assert "Anna Lane" in Page(page).text("search-found")
    assert 'value="lane"' in page.text


def test_the_page_forgives_a_slip_and_the_palette_leads_there(user):
    client = signed_in(user)
    make_driver("MARTINA KOWALSKI")

    part = client.get(
        reverse("search"), {"q": "kowlaski"}, headers=HTMX | {"HX-Target": "palette-found"}
    )
    page = client.get(reverse("search"), {"q": "kowlaski"})

    assert "Enter looks further" in Page(part).text("palette-found")
    assert "Martina Kowalski" in Page(page).text("search-found")


def test_before_anything_is_typed_a_few_actions_are_offered(user):
    text = Page(signed_in(user).get(reverse("search"))).text("search-found")

    assert "Import an event" in text
    assert "Upload health data" in text
    assert "API tokens" not in text


def test_a_limit_and_a_kind_out_of_range_name_their_field(user):
    client = signed_in(user)

    assert "limit" in client.get("/api/v1/search?q=a&limit=51").json()["error"]["fields"]
    assert "q" in client.get("/api/v1/search", {"q": "x" * 201}).json()["error"]["fields"]
    assert client.get("/api/v1/search?q=a&kind=nonsense").json() == []


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("  Müller  JÖRG ", ("muller", "jorg")),
        ("1/10 A-Main", ("1", "10", "a", "main")),
        ("O'DELL", ("o", "dell")),
        ("Łódź Ølborg", ("lodz", "olborg")),
        ("&|!():*", ()),
        ("a b c d e f g h", ("a", "b", "c", "d", "e", "f")),
    ],
)
def test_what_is_typed_falls_into_plain_words(typed, terms):
    assert terms_of(typed) == terms


def test_python_and_the_database_fold_alike(db):
    from django.db.models import TextField, Value

    from ingestion.models import Driver
    from racecontrol.shared.search import among

    make_driver()
    for text in ("Ærø Łódź", "ÅNGSTRÖM Ñandú", "Ő ű Đặng", "ﬁne ½", "İstanbul", "Zoë"):
        rows = Driver.objects.all()
        column = Value(text, output_field=TextField())
        for term in terms_of(text):
            assert among(rows, [term], column).exists(), (text, term, folded(text))


def test_words_fit_in_any_order_by_their_beginnings():
    assert Question.of("tok api").fits("API tokens")
    assert not Question.of("okens").fits("API tokens")
    assert Question.of("api tokens").distance("API tokens") == 0
    assert Question.of("api").distance("API tokens") == 1
    assert Question.of("tokens").distance("API tokens") == 2
