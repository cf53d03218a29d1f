"""The dashboard: what matters now for this person, in the order of urgency, and how to begin."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from coaching.models import AthleteUpload, Mission, ProfileClaim
from coaching.tests.builders import drive, make_driver, make_profile, make_session
from coaching.tests.builders import make_event as make_timing_event
from coaching.tests.builders import make_result as make_timing_result
from coaching.tests.mission_builders import consent, make_mission
from ingestion.models import BumpUp, FavouriteTrack
from ingestion.tests.builders import make_event, make_track
from racecontrol.shared import jobs, live
from racecontrol.testing.pages import HTMX, Page
from racecontrol.testing.people import signed_in
from runplans.tests.builders import make_plan
from strategy.models import RaceStrategy, Role, StintPlan
from strategy.services import events
from strategy.tests.builders import make_car, make_person, make_strategy, make_team, sign_up
from strategy.tests.builders import make_event as make_race_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything_on")]


def home(person) -> str:
    return Page(signed_in(person).get("/")).text("main")


def titles(person) -> list[str]:
    """The headings of the cards, from the top."""
    text = signed_in(person).get("/").text.split('class="board"')[1]
    text = text.split('<h2 id="go-on"')[0]
    return [part.split(">", 1)[1].split("</h2>")[0] for part in text.split("<h2 ")[1:]]


def race_in(user, delta: timedelta, **values) -> RaceStrategy:
    """An active strategy of a race that starts so far from now; the user drives first."""
    row = make_strategy(user, starts_at=[now() + delta], **values)
    RaceStrategy.objects.filter(pk=row.pk).update(status=RaceStrategy.Status.ACTIVE)
    StintPlan.objects.filter(plan=row.current, number=1).update(driver=user)
    return row


def under_way(mission) -> None:
    Mission.objects.filter(pk=mission.pk).update(state="TRAINING", started_at=now())


def claimed(user, driver=None) -> ProfileClaim:
    profile = make_profile(user)
    driver = driver or make_driver()
    return ProfileClaim.objects.create(profile=profile, driver=driver, state="approved")


# -- what matters now


def test_everything_stands_in_the_order_of_urgency(user):
    race_in(user, timedelta(days=3))
    under_way(make_mission(user))
    jobs.enqueue("racecontrol.tests.work.count", 1, owner=user, key="import:event:1", title="Cup")
    claim = claimed(user)
    make_timing_result(claim.driver)
    make_plan(user)

    assert titles(user) == [
        "Bay Tour",
        "Your next stint",
        "Imports",
        "Your latest results",
        "Races coming",
        "Run plans",
    ]


def test_a_stint_that_is_near_stands_above_everything(user):
    under_way(make_mission(user))
    race_in(user, timedelta(hours=2))

    assert titles(user)[:3] == ["Your next stint", "Bay Tour", "Races coming"]


def test_the_next_stint_is_told_in_ones_own_time_with_the_zone(user):
    user.time_zone = "Asia/Tokyo"
    user.save()
    race_in(user, timedelta(days=3))

    text = home(user)

    assert "JST" in text.split("Your next stint")[1].split("Races coming")[0]
    assert "in 3 days" in text
    assert "UTC" not in text


def test_whoever_is_in_the_car_sees_until_when(user):
    race_in(user, -timedelta(minutes=5))

    text = home(user)

    assert "You are in the car" in text
    assert "under way" in text
    assert "On the wall now" in text


def test_the_live_card_is_answered_alone_and_goes_when_it_is_over(user):
    row = race_in(user, timedelta(hours=2))
    client = signed_in(user)
    wanted = HTMX | {"HX-Target": "card-stint"}

    page, part = client.get("/"), client.get("/", headers=wanted)

    assert "<html" not in part.text
    assert Page(part).part("card-stint") == Page(page).part("card-stint")
    assert f'data-live="strategy:{row.pk}"' in part.text
    assert "HX-Target" in part["Vary"]
    RaceStrategy.objects.update(status=RaceStrategy.Status.ARCHIVED)
    assert client.get("/", headers=wanted).content == b""


def test_todays_mission_is_live_for_its_athlete_alone(user, other):
    mission = make_mission(user)
    under_way(mission)
    client, topic = signed_in(user), f"mission:{mission.pk}"
    wanted = HTMX | {"HX-Target": "card-mission"}

    page, part = client.get("/"), client.get("/", headers=wanted)

    assert Page(part).part("card-mission") == Page(page).part("card-mission")
    assert f'data-live="{topic}"' in part.text
    assert live.may_follow(user, topic)
    assert not live.may_follow(other, topic)
    assert not live.may_follow(user, "mission:x")
    Mission.objects.filter(pk=mission.pk).update(state="ARCHIVED")
    assert client.get("/", headers=wanted).content == b""


def test_a_live_card_is_made_alone(user, settings):
    race_in(user, timedelta(hours=2))
    wanted = HTMX | {"HX-Target": "card-stint"}
    settings.HOME_CARDS = [f"{__name__}.breaks", "strategy.cards.next_stint"]

    part = signed_in(user).get("/", headers=wanted)

    assert "card-stint" in part.text
    assert signed_in(user).get("/", headers=HTMX | {"HX-Target": "card-x"}).content == b""


def breaks(request):
    raise AssertionError("another card was made")


def test_running_imports_show_their_progress_and_failed_ones_for_a_day(user, other):
    running = jobs.enqueue(
        "racecontrol.tests.work.count", 1, owner=user, key="import:a", title="Cup"
    )
    failed = jobs.enqueue(
        "racecontrol.tests.work.count", 1, owner=user, key="import:b", title="Gala"
    )
    jobs.enqueue("racecontrol.tests.work.count", 1, owner=other, key="import:c", title="Elsewhere")
    jobs.Job.objects.filter(pk=running.pk).update(state="running", done=12, total=32)
    jobs.Job.objects.filter(pk=failed.pk).update(
        state="failed", message="A bot check.", finished_at=now()
    )
    client = signed_in(user)

    text = Page(client.get("/")).text("main")
    assert "12 of 32" in text
    assert "A bot check." in text
    assert "Elsewhere" not in text
    part = client.get(reverse("job", args=[running.pk]), headers=HTMX)
    mark = f"job-{running.pk}"
    assert Page(part).part(mark) == Page(client.get("/")).part(mark)

    jobs.Job.objects.filter(pk=failed.pk).update(finished_at=now() - timedelta(days=2))
    jobs.Job.objects.filter(pk=running.pk).update(state="done")
    assert "Imports" not in titles(user)


def test_latest_results_tell_place_race_pace_and_the_way_up(user, other):
    claim = claimed(user)
    event = make_timing_event("Harvest Cup")
    low = make_timing_result(claim.driver, event=event, label="1/8 Buggy B-Main")
    low.race.results.update(position=2, fast_lap_ms=58_050)
    high = make_timing_result(claim.driver, event=event, label="1/8 Buggy A-Main")
    BumpUp.objects.create(
        event=event,
        race_class=low.race.race_class,
        driver=claim.driver,
        source_race=low.race,
        target_race=high.race,
        confidence="high",
    )
    session = make_session(user, name="Harvest")
    drive(session, heat="B-Main", kind="race")
    session.heats.update(source_ref=f"race:{low.race.source_race_id}/{low.source_driver_id}")
    score = session.scores.get(heat__name="B-Main", formula="v2")

    text = home(user)
    results = text.split("Your latest results")[1].split("Race pace")[0]

    assert "P2" in results
    assert f"ORP {score.score:.1f}" in results
    assert "up to A-Main" in results
    assert "from B-Main" in results
    assert "best lap 58.050" in results
    assert "Your latest results" not in home(other)


def test_a_claim_that_waits_shows_nobodys_results(user):
    claim = claimed(user)
    make_timing_result(claim.driver)
    ProfileClaim.objects.update(state="pending")

    assert "Your latest results" not in titles(user)
    assert "your claim waits for the operators" in home(user)


def test_races_coming_offer_what_is_to_do(user):
    team = make_team(user)
    event = make_race_event(
        user, team=team, name="Night Race", starts_at=[now() + timedelta(days=9)]
    )
    make_race_event(user, team=team, name="Long ago", starts_at=[now() - timedelta(days=9)])

    text = home(user)
    assert "Night Race" in text
    assert "Sign up with your hours" in text
    assert "Long ago" not in text

    sign_up(event, user)
    text = home(user)
    assert "you: signed up" in text.split("Races coming")[1].split("Go on")[0]


def test_a_race_one_withdrew_from_comes_no_more_but_for_who_hosts_it(user):
    mate, guest = make_person("mia"), make_person("gus")
    event = make_race_event(user, name="Night Race", starts_at=[now() + timedelta(days=9)])
    event.host.memberships.create(user=mate, role=Role.DRIVER)
    for person in (user, mate, guest):
        sign_up(event, person)
    assert all("Night Race" in home(person) for person in (user, mate, guest))
    event.host.memberships.filter(user=guest).delete()

    for signup in event.signups.all():
        events.move(signup_id=signup.pk, to="withdrawn", by=signup.user)

    assert "Races coming" not in titles(mate) + titles(guest)
    coming = home(user).split("Races coming")[1]
    assert "you: withdrawn" in coming
    assert "Sign up with your hours" not in coming.split("Go on")[0]

    sign_up(event, mate)
    assert "you: signed up" in home(mate)


def test_events_at_favourite_tracks_are_announced(user):
    track = make_track("silverlake")
    FavouriteTrack.objects.create(user=user, track=track)
    make_event(track=track, name="Spring Cup", day=now().date() + timedelta(days=5))
    make_event(track=track, name="Autumn Cup", day=date(2020, 5, 2))
    make_event(name="Elsewhere Cup", day=now().date() + timedelta(days=5))

    text = home(user)

    assert "Coming at your tracks Spring Cup" in text
    assert "Autumn Cup" not in text
    assert "Elsewhere Cup" not in text


def test_the_number_of_queries_does_not_grow(user, django_assert_max_num_queries):
    client = signed_in(user)
    claim = claimed(user)
    row = race_in(user, timedelta(days=3))
    under_way(make_mission(user))

    def fill(number: int) -> None:
        event = make_timing_event(f"Cup {number}", slug=f"club{number}")
        make_timing_result(claim.driver, event=event)
        make_plan(user, title=f"Plan {number}")
        drive(make_session(user, name=f"Day {number}"))
        jobs.enqueue("racecontrol.tests.work.count", 1, owner=user, key=f"import:{number}")
        sign_up(
            make_race_event(user, team=row.team, starts_at=[now() + timedelta(days=4 + number)]),
            user,
        )

    fill(1)
    client.get("/")
    with django_assert_max_num_queries(30) as few:
        client.get("/")
    for number in range(2, 6):
        fill(number)
    with django_assert_max_num_queries(len(few)):
        client.get("/")


# -- how to begin


def test_a_newcomer_is_led_somewhere_by_every_step(user):
    client = signed_in(user)

    page = client.get("/")
    text = Page(page).text("main")

    assert text.index("You race at a club") < text.index("You plan endurance races")
    assert "You train for something" in text
    assert "Clocks are shown in UTC until you" in text
    links = [part.split('"')[0] for part in page.text.split('class="journeys"')[1].split('href="')]
    steps = [link for link in links[1:] if link.startswith("/")][:14]
    assert len(steps) >= 13
    assert {client.get(link).status_code for link in steps} == {200}


def test_a_racers_steps_are_ticked_and_the_next_one_leads_on(user):
    user.display_name = "Sam Racer"
    user.save()
    page = signed_in(user).get("/")
    assert f"{reverse('ingestion:drivers')}?q=Sam+Racer" in page.text

    claim = claimed(user)
    text = home(user)
    assert "First steps" not in text
    steps = text.split("Go on with")[1]
    assert "Bring in an event you raced in done" in steps
    assert "This is me” done" in steps
    assert "See your race pace, the ORP done" not in steps
    plan = f"{reverse('runplans:new')}?driver={claim.driver_id}"
    assert plan in signed_in(user).get("/").text

    drive(make_session(user))
    make_plan(user)
    text = home(user)
    assert "You race at a club" not in text
    assert "What else you can begin here" in text


def test_a_strategists_steps_follow_the_team_to_the_plan(user):
    def steps() -> tuple[str, str]:
        page = signed_in(user).get("/")
        return Page(page).text("main").split("You plan endurance races")[1], page.text

    team = make_team(user)
    text, html = steps()
    assert "Make a team, or open the link somebody sent you done" in text
    assert f'<a href="{reverse("strategy:team", args=[team.pk])}"><strong>Invite' in html

    mate = make_person("mia")
    team.memberships.create(user=mate, role=Role.DRIVER)
    make_car(user, team)
    event = make_race_event(user, team=team)
    text, html = steps()
    assert "Invite your drivers and add a car done" in text
    assert "Make an endurance event done" in text
    assert f'<a href="{reverse("strategy:event", args=[event.pk])}"><strong>Collect' in html

    sign_up(event, mate)
    assert f'<a href="{reverse("strategy:strategy-new", args=[event.pk])}"><strong>' in steps()[1]
    asked = signed_in(mate).get("/")
    assert "Collect everybody" not in asked.text
    assert "You plan endurance races" not in Page(asked).text("main")


def test_a_driver_of_a_team_is_asked_for_hours_only(user):
    mate = make_person("mia")
    team = make_team(user, members={mate: Role.DRIVER})
    assert "no event asks for hours yet" in home(mate)

    event = make_race_event(user, team=team)
    page = signed_in(mate).get("/")

    assert f'<a href="{reverse("strategy:signup", args=[event.pk])}"><strong>Sign up' in page.text
    assert "Plan the stints" not in page.text


def test_an_athletes_steps(user, settings):
    settings.LLM_BASE_URL = "https://model.example.org/v1"
    assert "Add the language model" not in home(user)
    settings.LLM_BASE_URL = ""
    assert "Add the language model" in home(user)

    consent(user)
    AthleteUpload.objects.create(owner=user, file_name="ride.fit", size=1)
    text = home(user)
    assert "Choose what may be stored and sent done" in text
    assert "or bring a file done" in text
    make_mission(user)
    assert "Begin a mission: a goal and a date done" in home(user)
