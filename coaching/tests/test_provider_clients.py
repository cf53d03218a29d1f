"""Each provider's client against its stand-in over real HTTP: what is read, and every fault."""

from datetime import UTC, date, datetime, timedelta

import pytest

from coaching.connections import intervals, oauth, oura, strava
from coaching.connections.api import Api
from coaching.connections.errors import (
    GrantLost,
    ProviderBusy,
    ProviderDown,
    ProviderError,
    ProviderRefused,
    TokenRefused,
)
from coaching.connections.fakes import KINDS
from coaching.connections.providers import provider_of
from coaching.domain.curves import thin
from coaching.domain.quotas import quarter_after, read_pair, resting_until, retry_moment
from coaching.tests.connected import stand_ins

TODAY = date(2026, 11, 21)
SINCE, UNTIL = TODAY - timedelta(days=29), TODAY
DAY = datetime(2026, 11, 21, tzinfo=UTC)
TOKEN = "a-token-nobody-may-see"


pytestmark = pytest.mark.usefixtures("no_pauses")


@pytest.fixture
def providers(settings):
    """The stand-ins as of that day, open to a token of ours."""
    with stand_ins(settings, today=TODAY) as providers:
        for house in (providers.strava, providers.oura, providers.intervals):
            house.api_keys[TOKEN] = house.account
        yield providers


def api(name, **options) -> Api:
    return Api(provider_of(name), TOKEN, **options)


READS = {
    "strava": lambda a: list(
        strava.pages(a, after=DAY - timedelta(days=30), before=DAY + timedelta(days=1))
    ),
    "oura": lambda a: oura.sleep(a, since=SINCE, until=UNTIL),
    "intervals": lambda a: intervals.wellness(a, since=SINCE, until=UNTIL),
}
EXPECTED = {
    "429": (ProviderBusy, "rate_limited"),
    "429-silent": (ProviderBusy, "rate_limited"),
    "401": (TokenRefused, "unauthorized"),
    "403": (ProviderRefused, "forbidden"),
    "404": (ProviderRefused, "not_found"),
    "426": (ProviderRefused, "app_too_old"),
    "500": (ProviderDown, "server_error"),
    "503": (ProviderDown, "server_error"),
    "cut": (ProviderDown, "transport"),
    "html": (ProviderDown, "garbled"),
    "garbled": (ProviderDown, "garbled"),
    "shape": (ProviderDown, "wrong_shape"),
    "redirect": (ProviderDown, "redirect"),
    "hang": (ProviderDown, "timeout"),
    "drip": (ProviderDown, "timeout"),
    "drip-headers": (ProviderDown, "timeout"),
    "oversize": (ProviderDown, "oversize"),
    "invalid-grant": (ProviderRefused, "bad_request"),
    "lost-rotation": (ProviderDown, "server_error"),
}


def test_every_fault_has_its_expectation():
    assert set(EXPECTED) == set(KINDS)


@pytest.mark.parametrize("kind", EXPECTED)
@pytest.mark.parametrize("name", READS)
def test_a_fault_is_a_typed_error_that_quotes_nothing(providers, name, kind):
    providers.fail(kind, times=-1)
    error, reason = EXPECTED[kind]
    is_slow = kind in ("hang", "drip", "drip-headers")

    with pytest.raises(ProviderError) as caught:
        READS[name](api(name, call_s=0.4 if is_slow else 20))

    assert (type(caught.value), caught.value.reason) == (error, reason)
    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(caught.value.__dict__)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("kind", ["500", "503", "cut", "html", "garbled"])
@pytest.mark.parametrize("name", READS)
def test_what_passes_is_tried_once_more(providers, name, kind):
    providers.fail(kind, times=1)

    assert READS[name](api(name))


def test_refusals_are_not_tried_again(providers):
    providers.fail("403", times=-1)

    with pytest.raises(ProviderRefused):
        READS["oura"](api("oura"))

    assert providers.calls("/oura/") == 1


# -- what is read ------------------------------------------------------------------------------


def test_strava_activities_over_pages_until_an_empty_one(providers):
    providers.page_size = 4

    pages = READS["strava"](api("strava"))

    rides = [ride for page in pages for ride in page]
    assert [len(page) for page in pages] == [4, 4, 4, 4]
    assert len({ride.external_id for ride in rides}) == 16
    newest = rides[0]
    assert newest.on == TODAY
    assert (newest.normalised_w, newest.moving_s, newest.max_bpm) == (150, 3600, 171)
    assert newest.title == "Morning ride 0"


def test_watts_a_site_estimated_are_no_power(providers):
    providers.rides[0]["device_watts"] = False

    ride = READS["strava"](api("strava"))[0][0]

    assert (ride.average_w, ride.normalised_w) == (None, None)


def test_strava_local_day_is_the_riders(providers):
    """It writes local wall time with a Z that is not UTC."""
    providers.rides[0] |= {
        "start_date": "2026-11-20T20:30:00Z",
        "start_date_local": "2026-11-21T07:00:00Z",
    }

    ride = READS["strava"](api("strava"))[0][0]

    assert ride.starts_at == datetime(2026, 11, 20, 20, 30, tzinfo=UTC)
    assert ride.on == date(2026, 11, 21)


def test_curves_never_ask_for_positions(providers):
    found = strava.curves(api("strava"), str(providers.rides[0]["id"]))

    assert set(found) == {"time_s", "watts", "bpm", "altitude_m"}
    assert not any("latlng" in path for _, path in providers.asked)


def test_strava_limits_are_heard_in_every_answer(providers):
    heard = []
    providers.read_usage = [88, 500]

    READS["strava"](api("strava", on_reply=lambda r: heard.append(strava.limits_told(r.headers))))

    assert heard[0] == [((200, 2000), (89, 501)), ((100, 1000), (89, 501))]


def test_oura_sleep_over_pages_with_naps_and_without_deleted_nights(providers):
    providers.page_size = 7

    rows = oura.sleep(api("oura"), since=SINCE, until=UNTIL)

    today = {row.metric: row.value for row in rows if row.on == TODAY}
    # 25,200 s of night and 1,200 s of nap; pulse and HRV are the night's
    assert today == {"sleep": 440.0, "resting_hr": 44.0, "hrv_rmssd": 55.0}
    assert len([row for row in rows if row.metric == "sleep"]) == 30
    assert providers.calls("next_token") > 3


def test_oura_asks_a_day_more_and_keeps_the_days_it_wanted(providers):
    rows = oura.readiness(api("oura"), since=SINCE, until=UNTIL)

    assert {row.on for row in rows} == {SINCE + timedelta(days=n) for n in range(30)}
    assert f"start_date={SINCE - timedelta(days=1)}" in providers.asked[0][1]


def test_oura_heart_rates_belong_to_the_athletes_day(providers):
    from zoneinfo import ZoneInfo

    providers.beats[:] = [
        {"bpm": 50, "timestamp": "2026-11-19T14:00:00+00:00"},  # 00:30 of the 20th in Adelaide
        {"bpm": 70, "timestamp": "2026-11-20T02:00:00+00:00"},
        {"bpm": 90, "timestamp": "2026-11-20T14:00:00+00:00"},  # the 21st
    ]

    rows = oura.heart_rate(
        api("oura"), since=date(2026, 11, 20), until=date(2026, 11, 20),
        zone=ZoneInfo("Australia/Adelaide"),
    )  # fmt: skip

    assert [(row.on, row.value, row.records) for row in rows] == [(date(2026, 11, 20), 60.0, 2)]


def test_pages_that_go_in_circles_end_in_an_error(providers, monkeypatch):
    from coaching.connections.fakes.handler import Handler

    monkeypatch.setattr(Handler, "_oura", lambda self, path: {"data": [], "next_token": "again"})

    with pytest.raises(ProviderDown, match="no end"):
        READS["oura"](api("oura"))


def test_intervals_keeps_both_kinds_of_hrv_apart_and_leaves_strava_stubs(providers):
    providers.wellness[0]["hrvSDNN"] = 80.0

    days = READS["intervals"](api("intervals"))
    rides = intervals.rides(api("intervals"), since=SINCE, until=UNTIL)

    today = {row.metric: row.value for row in days if row.on == TODAY}
    assert (today["hrv_rmssd"], today["hrv_sdnn"]) == (60.0, 80.0)
    assert today["sleep"] == pytest.approx(433.3)
    assert len(rides) == 14  # of 15, the tenth came from Strava
    assert all(ride.external_id.startswith("i") for ride in rides)


# -- permissions -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["strava", "oura", "intervals"])
def test_the_dance_brings_tokens_that_work(providers, name):
    provider = provider_of(name)
    code, _given = providers.house(name).new_code(list(provider.scopes))

    tokens = oauth.exchange(provider, code=code, redirect_uri="http://testserver/back/")

    got = Api(provider, tokens.access)
    client = {"strava": strava, "oura": oura, "intervals": intervals}[name]
    assert client.account_id(got) == providers.house(name).account
    with pytest.raises(GrantLost):  # a code is good once
        oauth.exchange(provider, code=code, redirect_uri="http://testserver/back/")


@pytest.mark.parametrize("name", ["strava", "oura"])
def test_refresh_tokens_are_good_once(providers, name):
    provider, house = provider_of(name), providers.house(name)
    code, _ = house.new_code([])
    first = oauth.exchange(provider, code=code, redirect_uri="x")

    second = oauth.refresh(provider, refresh_token=first.refresh)

    assert second.refresh != first.refresh
    assert second.access != first.access
    with pytest.raises(GrantLost) as lost:
        oauth.refresh(provider, refresh_token=first.refresh)
    assert first.refresh not in str(lost.value)


@pytest.mark.parametrize("kind", ["500", "429", "html", "garbled", "cut", "shape"])
def test_a_broken_token_address_is_no_lost_permission(providers, kind):
    provider = provider_of("oura")
    code, _ = providers.oura.new_code([])
    tokens = oauth.exchange(provider, code=code, redirect_uri="x")
    providers.fail(kind, times=1, path="/token")

    with pytest.raises(ProviderDown):
        oauth.refresh(provider, refresh_token=tokens.refresh)


@pytest.mark.parametrize("name", ["strava", "oura"])
def test_revoking_ends_the_token_and_bears_being_done_twice(providers, name):
    provider, house = provider_of(name), providers.house(name)
    code, _ = house.new_code([])
    tokens = oauth.exchange(provider, code=code, redirect_uri="x")

    oauth.revoke(provider, token=tokens.access)
    oauth.revoke(provider, token=tokens.access)

    assert house.holder(tokens.access) is None
    providers.fail("503", path="/revoke")
    with pytest.raises(ProviderDown):
        oauth.revoke(provider, token=tokens.access)


def test_nothing_shows_a_secret(providers):
    provider = provider_of("strava")

    tokens = oauth.Tokens("at-1", "rt-1", None, (), "")

    shown = repr([provider, tokens, api("strava")])
    assert not {"at-1", "rt-1", TOKEN, provider.client_secret} & set(shown.split("'"))
    assert "client-secret" not in shown
    assert "at-1" not in shown


# -- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "until"),
    [
        ((89, 100), None),
        ((90, 100), datetime(2026, 11, 21, 10, 15, tzinfo=UTC)),
        ((10, 900), datetime(2026, 11, 22, tzinfo=UTC)),
        ((100, 1000), datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_we_stop_at_nine_tenths_until_the_window_ends(usage, until):
    at = datetime(2026, 11, 21, 10, 7, 3, tzinfo=UTC)

    assert resting_until(limit=(100, 1000), usage=usage, now=at) == until


def test_the_words_of_a_limit():
    at = datetime(2026, 11, 21, 23, 59, tzinfo=UTC)
    assert read_pair("100, 1000") == (100, 1000)
    assert [read_pair(text) for text in (None, "", "1", "a,b", "1,2,3", "-1,2")] == [None] * 6
    assert quarter_after(at) == datetime(2026, 11, 22, tzinfo=UTC)
    assert retry_moment("30", now=at, otherwise=DAY) == at + timedelta(seconds=30)
    assert retry_moment("99999999", now=at, otherwise=DAY) == DAY
    assert retry_moment("Wed, 21 Oct", now=at, otherwise=DAY) == DAY


def test_curves_are_thinned_together():
    found = thin({"watts": [100.0] * 5 + [200.0] * 5, "bpm": [None] * 11, "rpm": []}, most=2)

    assert found == {"watts": [100.0, 200.0], "bpm": [None, None]}
    assert thin({}) == {}
