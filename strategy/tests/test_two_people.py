"""Two strategists change one plan at the same moment, over real HTTP: one wins, nothing is lost."""

import pytest
import requests

from racecontrol.testing.pages import HTMX
from racecontrol.testing.people import signed_in
from racecontrol.testing.workers import at_once
from strategy.models import Membership, Role
from strategy.services import plans
from strategy.tests.builders import make_strategy

pytestmark = pytest.mark.django_db(transaction=True)


def session_of(person, host) -> requests.Session:
    """Signed in, with the token forms need."""
    client = signed_in(person)
    client.get("/strategy/teams/")
    session = requests.Session()
    session.trust_env = False
    session.cookies.update({name: morsel.value for name, morsel in client.cookies.items()})
    session.headers["X-CSRFToken"] = client.cookies["csrftoken"].value
    session.headers["Referer"] = host
    return session


@pytest.fixture
def both(user, other, live_server):
    row = make_strategy(user, drivers=2)
    Membership.objects.create(team=row.team, user=other, role=Role.STRATEGIST)
    return row, [session_of(person, live_server.url) for person in (user, other)]


def test_two_boards_sent_at_once_make_one_version_and_one_clear_conflict(both, live_server):
    row, sessions = both
    laps = plans.plan_of(row.current)[0].laps

    def change(session, value):
        data = {"do": "move", "stint": 1, "value": value, "base_version": 1}
        headers = HTMX | {"HX-Target": "board"}
        url = f"{live_server.url}/strategy/{row.pk}/"
        return lambda: session.post(url, data=data, headers=headers, timeout=30)

    answers = at_once(*(change(s, v) for s, v in zip(sessions, (-1, -2), strict=True)))

    won = next(n for n, answer in enumerate(answers) if answer.status_code == 200)
    lost = answers[1 - won]
    row.refresh_from_db()
    assert sorted(a.status_code for a in answers) == [200, 422]
    assert "Somebody changed this strategy" in lost.text
    assert f"Not done: move stint 1 {(-1, -2)[1 - won]}" in lost.text
    assert 'data-version="2"' in lost.text  # the loser is shown the winner's plan
    assert (row.version, row.versions.count()) == (2, 2)
    assert plans.plan_of(row.current)[0].laps == laps + (-1, -2)[won]

    again = change(sessions[1 - won], (-1, -2)[1 - won])().status_code
    assert again == 422  # still built on the old plan: nothing is merged silently


def test_two_api_clients_at_once_get_one_success_and_one_409(both, live_server):
    row, sessions = both

    def change(session):
        url = f"{live_server.url}/api/v1/strategies/{row.pk}/stints"
        body = {"base_version": 1, "change": "move", "stint": 1, "value": -1}
        return lambda: session.post(url, json=body, timeout=30)

    answers = at_once(*map(change, sessions))

    assert sorted(a.status_code for a in answers) == [200, 409]
    refused = next(a for a in answers if a.status_code == 409).json()["error"]
    assert refused["code"] == "stale_write"
    assert row.versions.count() == 2


def test_a_change_by_hand_and_a_lock_at_once_never_both_hold(both, live_server):
    """Whoever comes second sees the other's state: a locked plan is not changed behind the lock."""
    row, sessions = both
    url = f"{live_server.url}/api/v1/strategies/{row.pk}"
    edit = {"base_version": 1, "change": "move", "stint": 1, "value": -1}

    moved, locked = at_once(
        lambda: sessions[0].post(f"{url}/stints", json=edit, timeout=30),
        lambda: sessions[1].patch(url, json={"base_version": 1, "is_locked": True}, timeout=30),
    )

    row.refresh_from_db()
    assert sorted((moved.status_code, locked.status_code)) == [200, 409]
    assert row.is_locked == (locked.status_code == 200)
    assert row.versions.count() == (2 if moved.status_code == 200 else 1)
