"""Every fault of a model's server, over real HTTP: each ends as it should, and says no secret."""

import json
import time
from dataclasses import replace

import pytest

from coaching.llm.client import Call, Client, Endpoint, Limits, find_object, probe
from coaching.llm.errors import BadAnswer, EndpointNotAllowed, ModelDown, ModelError, ModelRefused
from coaching.llm.fake_openai import FakeOpenAI
from coaching.llm.guard import Rules, check_url
from coaching.llm.prices import Price, cost_micro_usd
from coaching.llm.shapes import SHAPES, DailyCoaching, wire_schema

KEY = "sk-very-secret-key-0123456789"
QUICK = Limits(deadline_s=6, call_s=0.4, tries=3, repairs=2)
MESSAGES = [
    {"role": "system", "content": "Coach."},
    {"role": "user", "content": "FACTS\nF1 Today: 2026-06-08 (Monday)\nF2 Readiness: 62 of 100\n"},
]


@pytest.fixture
def fake():
    with FakeOpenAI() as server:
        yield server


def client(fake, behaviour: str, calls: list[Call] | None = None, **more) -> Client:
    target = check_url(fake.base_url, Rules(trusted_origins=frozenset({fake.origin})))
    endpoint = Endpoint(target=target, model=f"fake-{behaviour}", key=KEY, mode="json_schema")
    if "mode" in more:
        endpoint = replace(endpoint, mode=more.pop("mode"))
    return Client(
        endpoint,
        limits=more.pop("limits", QUICK),
        sleep=lambda _s: None,
        on_call=(calls if calls is not None else []).append,
        **more,
    )


ENDS = [
    # behaviour, how it ends (None: an answer), HTTP requests the server saw
    ("happy", None, 1),
    ("no-usage", None, 1),
    ("429-twice", None, 3),
    ("429-forever", (ModelDown, "rate_limited"), 3),
    ("500-once", None, 2),
    ("500-forever", (ModelDown, "server_error"), 3),
    ("401", (ModelRefused, "bad_key"), 1),
    ("404", (ModelRefused, "no_model"), 1),
    ("quota", (ModelRefused, "quota"), 1),
    ("hang", (ModelDown, "timeout"), 3),
    ("bad-json-once", None, 2),
    ("bad-json", (BadAnswer, "bad_answer"), 3),
    ("schema-once", None, 2),
    ("schema", (BadAnswer, "bad_answer"), 3),
    ("prose", None, 1),
    ("empty", (BadAnswer, "bad_answer"), 3),
    ("length", (BadAnswer, "bad_answer"), 3),
    ("html", (ModelDown, "garbled"), 3),
    ("cut-body", (ModelDown, "transport"), 3),
    ("drip", (ModelDown, "timeout"), 3),
    ("drip-headers", (ModelDown, "timeout"), 3),
    ("oversize", (ModelDown, "oversize"), 3),
    ("redirect", (ModelRefused, "redirect"), 1),
]


@pytest.mark.parametrize(("behaviour", "end", "requests"), ENDS, ids=[e[0] for e in ENDS])
def test_each_fault_ends_as_the_table_says(fake, behaviour, end, requests, caplog):
    calls: list[Call] = []
    before = fake.calls(behaviour)
    ask = client(fake, behaviour, calls)

    if end is None:
        answer = ask.ask(MESSAGES, DailyCoaching)
        assert answer.workout.minutes == sum(block.minutes for block in answer.workout.blocks)
    else:
        kind, reason = end
        with pytest.raises(kind) as failed:
            ask.ask(MESSAGES, DailyCoaching)
        assert failed.value.reason == reason
        told = [str(failed.value), repr(failed.value), caplog.text, repr(ask), str(calls)]
        assert KEY not in "".join(told)
        assert failed.value.__cause__ is None  # nothing underneath that a log would print

    assert fake.calls(behaviour) - before == requests
    assert len(calls) == requests  # failed attempts are counted too
    assert (calls[-1].outcome == "ok") == (end is None)


@pytest.mark.parametrize("behaviour", ["hang", "drip", "drip-headers"])
def test_the_whole_exchange_ends_at_its_deadline(fake, behaviour):
    limits = Limits(deadline_s=0.6, call_s=30, tries=3)
    began = time.monotonic()

    with pytest.raises(ModelDown, match="too long"):
        client(fake, behaviour, limits=limits).ask(MESSAGES, DailyCoaching)

    assert time.monotonic() - began < 1.5


def test_a_stream_is_read_to_its_end(fake):
    seen: list[int] = []
    answer = client(fake, "happy", is_streaming=True, on_text=seen.append).ask(
        MESSAGES, DailyCoaching
    )

    assert answer.headline.startswith("DEMO")
    assert seen == sorted(seen)
    assert seen[-1] > 100


def test_a_stream_cut_short_is_an_error_not_half_an_answer(fake):
    with pytest.raises(ModelDown, match="middle"):
        client(fake, "cut-stream", is_streaming=True).ask(MESSAGES, DailyCoaching)
    assert fake.calls("cut-stream") == 3


def test_tokens_of_failed_attempts_count(fake):
    calls: list[Call] = []
    client(fake, "schema-once", calls).ask(MESSAGES, DailyCoaching)

    assert [(c.purpose, c.prompt_tokens, c.completion_tokens) for c in calls] == [
        ("ask", 100, 20),
        ("repair", 100, 20),
    ]


def test_unknown_usage_stays_unknown(fake):
    calls: list[Call] = []
    client(fake, "no-usage", calls).ask(MESSAGES, DailyCoaching)

    assert (calls[0].prompt_tokens, calls[0].completion_tokens) == (None, None)


def test_a_repair_names_what_was_wrong_and_is_asked_coldly(fake):
    client(fake, "schema-once").ask(MESSAGES, DailyCoaching)
    repair = fake.asked[-1]

    assert "unheard_of" in repair["messages"][-1]["content"]
    assert repair["temperature"] == 0


def test_a_failed_check_goes_back_for_repair_at_most_twice(fake):
    calls: list[Call] = []
    seen = []

    def check(answer):
        seen.append(answer)
        return ["reason: '487 watts' is no fact."]

    with pytest.raises(BadAnswer, match="487 watts") as failed:
        client(fake, "happy", calls).ask(MESSAGES, DailyCoaching, check=check)

    assert (len(seen), len(calls)) == (3, 3)
    assert failed.value.problems == ["reason: '487 watts' is no fact."]
    assert "487 watts" in fake.asked[-1]["messages"][-1]["content"]


def test_transport_and_repair_budgets_are_apart(fake):
    """Busy twice, then an answer that fails its check once: both budgets are used, neither is up."""
    turns = []

    def check(_answer):
        turns.append(1)
        return ["headline: too long"] if len(turns) == 1 else []

    client(fake, "429-twice").ask(MESSAGES, DailyCoaching, check=check)

    assert fake.calls("429-twice") == 4


def test_before_call_may_refuse_any_request(fake):
    def refuse():
        raise ModelRefused("Budget.", reason="budget")

    before = fake.calls("happy")
    with pytest.raises(ModelRefused):
        client(fake, "happy", before_call=refuse).ask(MESSAGES, DailyCoaching)
    assert fake.calls("happy") == before


@pytest.mark.parametrize(
    ("behaviour", "mode"),
    [("happy", "json_schema"), ("no-schema", "json_object"), ("no-json-mode", "none")],
)
def test_probing_finds_the_strictest_mode_that_works(fake, behaviour, mode):
    endpoint = client(fake, behaviour).endpoint

    assert probe(endpoint, limits=replace(QUICK, repairs=0)) == mode


def test_probing_a_bad_key_says_so(fake):
    with pytest.raises(ModelRefused, match="key"):
        probe(client(fake, "401").endpoint)


def test_an_untested_endpoint_steps_down_by_itself_and_remembers(fake):
    ask = client(fake, "no-json-mode", mode=None)
    ask.ask(MESSAGES, DailyCoaching)

    assert ask.endpoint.mode == "none"


# -- who may be called -----------------------------------------------------------------------

OPEN = Rules(is_any_public_host=True)
LISTED = Rules(hosts=frozenset({"api.example.com"}))


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/v1", "ftp://api.example.com", "https://user:pw@api.example.com/v1",
        "https://api.example.com/v1?x=1", "https://api.example.com/#a", "https:///v1", "file:///etc",
        "https://other.example.com", "https://api.example.com:99999", "https://api.exam ple.com",
        "https://api.example.com.evil.org", "javascript:alert(1)", "", "https://[::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_allowed(url):
    with pytest.raises(EndpointNotAllowed) as refused:
        check_url(url, LISTED)
    assert "base_url" in refused.value.fields


def test_listed_hosts_and_any_public_host():
    assert check_url("https://api.example.com/v1/", LISTED).base_url == (
        "https://api.example.com:443/v1"
    )
    assert not check_url("https://llm.example.org/v1", OPEN).is_trusted
    with pytest.raises(EndpointNotAllowed, match="port"):
        check_url("https://llm.example.org:22/v1", OPEN)


PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1",
    "255.255.255.255", "::", "fec0::1", "::ffff:169.254.169.254",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_public_name_with_a_private_address_is_never_connected_to(address, monkeypatch):
    """Whatever the name resolved to when the URL was saved: the check is at the connection."""
    family = 10 if ":" in address else 2
    monkeypatch.setattr(
        "racecontrol.shared.outbound.socket.getaddrinfo",
        lambda *_a, **_k: [
            (family, 1, 6, "", (address, 443)),
            (2, 1, 6, "", ("93.184.216.34", 443)),
        ],
    )
    endpoint = Endpoint(target=check_url("https://llm.example.org/v1", OPEN), model="m", key=KEY)

    with pytest.raises(ModelRefused, match="public internet") as refused:
        Client(endpoint, limits=QUICK).ask(MESSAGES, DailyCoaching)
    assert refused.value.reason == "not_allowed"


def test_a_name_that_changes_its_answer_gains_nothing(monkeypatch):
    """DNS rebinding: public while it is checked, private when it is used."""
    answers = [[(2, 1, 6, "", ("93.184.216.34", 443))], [(2, 1, 6, "", ("127.0.0.1", 443))]]
    asked = []

    def resolve(*_a, **_k):
        asked.append(1)
        return answers[min(len(asked) - 1, 1)]

    monkeypatch.setattr("racecontrol.shared.outbound.socket.getaddrinfo", resolve)
    connected = []

    class Socket:
        def __init__(self, *_a): ...
        def settimeout(self, _t): ...
        def close(self): ...
        def connect(self, where):
            connected.append(where[0])
            raise OSError("unreachable")

    monkeypatch.setattr("racecontrol.shared.outbound.socket.socket", Socket)
    endpoint = Endpoint(target=check_url("https://llm.example.org/v1", OPEN), model="m", key=KEY)

    with pytest.raises(ModelError):
        Client(endpoint, limits=QUICK, sleep=lambda _s: None).ask(MESSAGES, DailyCoaching)
    assert connected == ["93.184.216.34"]  # the second resolution was refused before connecting


def test_proxies_of_the_environment_are_not_used(fake, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert client(fake, "happy").ask(MESSAGES, DailyCoaching)


# -- reading and counting --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Sure!\n```json\n{"a": 1}\n```', {"a": 1}),
        ('<think>{"a": 9}</think>{"a": 1}', {"a": 1}),
        ('x {"a": {"b": 2}} y', {"a": {"b": 2}}),
        ('{"a": NaN}', None),
        ("[1]", None),
        ("", None),
        ("{" * 50_000, None),
    ],
)
def test_the_json_object_is_found_or_not(text, found):
    assert find_object(text) == found


def test_the_schema_on_the_wire_is_strict():
    for shape in SHAPES.values():
        text = json.dumps(wire_schema(shape))
        assert "$ref" not in text
        assert "maxLength" not in text
        schema = wire_schema(shape)
        assert schema["additionalProperties"] is False
        assert set(schema["required"]) == set(schema["properties"])


def test_prices_are_whole_and_unknown_stays_unknown():
    price = Price(prompt_micro_usd=150_000, completion_micro_usd=600_000)

    assert cost_micro_usd(price, prompt_tokens=1000, completion_tokens=100) == 210
    assert cost_micro_usd(price, prompt_tokens=1, completion_tokens=0) == 1
    assert cost_micro_usd(None, prompt_tokens=1, completion_tokens=1) is None
    assert cost_micro_usd(price, prompt_tokens=None, completion_tokens=1) is None
