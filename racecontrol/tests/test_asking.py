"""What loses something asks first, everywhere: a new form joins by itself.

A form that destroys says `data-asks` and its view calls `ask_first`. Forms whose words destroy but
which need no question stand in NO_QUESTION with the reason.
"""

import re
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import reverse

from racecontrol.testing.matrix import ROOMS, page_names, rooms_matrix
from racecontrol.testing.pages import HTMX

pytestmark = pytest.mark.django_db

TEMPLATES = Path(settings.BASE_DIR) / "templates"
DESTROYS = re.compile(
    r"\b(delete|remove|revoke|withdraw|discard|forget|disconnect|leave|archive|cancel|undo|finish"
    r"|stop sharing|take (it )?(back|out|away)|throw away|give up)\b",
    re.IGNORECASE,
)
# addresses whose very names say it: each must have a form that asks, or a reason not to
DESTROYING_NAMES = re.compile(
    r"(delete|remove|revoke|withdraw|discard|forget|cancel|unshare|[-_]end|leave)$"
)
FORM = re.compile(r"<form\b(?P<head>(?:[^>{]|{{.*?}}|{%.*?%})*)>(?P<body>.*?)</form>", re.DOTALL)

# (template, url name) -> why no question is asked
NO_QUESTION = {
    ("leave.html", "leave"): "is the question itself, with the password",
    ("leave.html", ""): "the same",
    ("components/_ask_form.html", ""): "is the question itself",
    ("coaching/garage/_audit.html", "coaching:audit_answer"): "the answers stay in the trail; another audit can begin",
    ("coaching/garage/_changes.html", "coaching:change_decide"): "stays to read; forcing is asked for",
    ("ingestion/_event_bump_ups.html", "ingestion:bump-up"): "a decision, open to the next one",
    ("components/_ask_here.html", ""): "is the question itself",
    ("strategy/_wall.html", "strategy:wall-do"): "is itself the way back; the log keeps both",
    ("strategy/_strip.html", ""): "is itself the way back; every version stays",
    ("strategy/_formation.html", "strategy:formation"): "asks for undoing only, see MIXED",
}  # fmt: skip

# forms that may also do harmless things: the server asks for these values only
MIXED = [
    ("strategy:team-role", {"role": ""}),
    ("strategy:signup-move", {"status": "withdrawn"}),
    ("strategy:formation", {"do": "undo", "base_version": "1"}),
    ("strategy:wall-do", {"state": "racing"}),
    ("coaching:lap_change", {"flag": "delete"}),
    ("coaching:settings_consent", {"purpose": "model", "give": "0"}),
]

CHOSEN = {"coaching:session_status": {"status": "close"}, "strategy:wall-do": {"name": "state"}}
# what they send is known as the page is drawn only: asked for in MIXED
AS_DRAWN = {"strategy:wall-do"}


@dataclass(frozen=True)
class Form:
    template: str
    url_name: str
    asks: bool
    destroys: bool
    told: dict[str, str] = field(hash=False, compare=False)


def forms() -> list[Form]:
    """Every form of every template that sends something."""
    found = []
    for path in sorted(TEMPLATES.rglob("*.html")):
        text = path.read_text()
        for match in FORM.finditer(text):
            head, body = match["head"], match["body"]
            if 'method="post"' not in head:
                continue
            buttons = " ".join(re.findall(r"<button\b(.*?)</button>", body, re.DOTALL))
            words = re.sub(
                r"{[{%].*?[%}]}|class=\"[^\"]*\"|<[^>]*>|\w+-?\w*=\"[^\"]*\"", " ", buttons
            )
            found.append(
                Form(
                    template=str(path.relative_to(TEMPLATES)),
                    url_name=_url_name(head, text),
                    asks="data-asks" in head,
                    destroys="danger" in buttons or bool(DESTROYS.search(unescape(words))),
                    told=_fixed_values(body),
                )
            )
    return found


def _url_name(head: str, text: str) -> str:
    action = re.search(r'action="({[{%].*?[%}]})', head)
    if action is None:
        return ""
    straight = re.search(r"{% url ['\"]([\w:-]+)['\"]", action[1])
    if straight:
        return straight[1]
    variable = re.search(r"{{ (\w+)", action[1])
    kept = variable and re.search(rf"{{% url ['\"]([\w:-]+)['\"][^%]* as {variable[1]} %}}", text)
    return kept[1] if kept else ""


def _fixed_values(body: str) -> dict[str, str]:
    """What the form sends whoever fills it in: hidden fields and its button."""
    tags = re.findall(r"<(?:input type=\"hidden\"|button)[^>]*name=\"[^>]*>", body)
    pairs = [re.search(r'name="(\w+)" value="([^"{]*)"', tag) for tag in tags]
    return {pair[1]: pair[2] for pair in pairs if pair}


ASKING = [form for form in forms() if form.asks]


def test_every_form_that_destroys_asks_first():
    silent = {(form.template, form.url_name) for form in forms() if form.destroys and not form.asks}

    assert len(ASKING) > 15, "the forms were not found"
    assert not silent - set(NO_QUESTION), "say data-asks and call ask_first()"
    assert all(form.url_name for form in ASKING), [f.template for f in ASKING if not f.url_name]


def test_every_address_named_for_destroying_asks_first():
    asked = {form.url_name for form in ASKING} | {name for _, name in NO_QUESTION}
    named = {name for name, _ in page_names() if DESTROYING_NAMES.search(name)}

    assert len(named) > 8
    assert not named - asked - {"account_logout"}


def rows() -> dict[str, int]:
    ours = [model for model in apps.get_models() if model._meta.app_label in ROOMS]
    return {model._meta.label: model._base_manager.count() for model in ours}


@pytest.fixture
def samples(user, everything_on):
    return rooms_matrix(user).samples


def test_the_server_asks_and_changes_nothing(client, samples):
    told = [(form.url_name, form.told) for form in ASKING if form.url_name not in AS_DRAWN] + MIXED
    faults = []
    before = rows()
    for name, values in told:
        url = reverse(name, kwargs=samples.get(name, {}) | CHOSEN.get(name, {}))
        if "give" in values:
            values = values | {"give": "0" if "purpose" in values else "no"}
        answer = client.post(url, values)
        if "X-Asks" not in answer:
            faults.append(f"{name} with {values} answered {answer.status_code} without a question")
        elif "sure" not in answer.text or 'href="/"' not in answer.text:
            faults.append(f"{name}: no way on or back")
    assert not faults, "\n".join(faults)
    changed = {label: n for label, n in rows().items() if n != before[label]}
    assert not changed


def test_the_question_repeats_what_was_sent(client, samples):
    url = reverse("coaching:mission_move", kwargs=samples["coaching:mission_move"])

    page = client.post(url, {"move": "archive", "why": "<ill>"})

    assert '<input type="hidden" name="move" value="archive">' in page.text
    assert '<input type="hidden" name="why" value="&lt;ill&gt;">' in page.text
    assert page.text.count('name="sure"') == 1


def test_no_script_asks_in_a_way_of_its_own():
    scripts = Path(settings.BASE_DIR, "static", "js").glob("*.js")
    own = re.compile(r"\b(confirm|alert|prompt)\(")

    assert not [path.name for path in scripts if own.search(path.read_text())]


def test_htmx_gets_the_question_as_a_dialog_elsewhere(client, samples):
    url = reverse("coaching:lap_change", kwargs=samples["coaching:lap_change"])

    part = client.post(url, {"flag": "delete"}, headers=HTMX)

    assert part.headers["HX-Retarget"] == "#asked"
    assert part.text.lstrip().startswith("<dialog")
