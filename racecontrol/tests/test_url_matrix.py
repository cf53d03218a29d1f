"""Who may enter: a stranger, a signed-in other, staff, at every address there is.

A new address joins by itself; one with arguments and no sample in its room's tests/matrix.py fails.
"""

import re
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from racecontrol.testing.matrix import api_operations, page_names, rooms_matrix
from racecontrol.testing.people import signed_in

pytestmark = pytest.mark.django_db

TURNED_AWAY = {403, 404}


@pytest.fixture
def matrix(user):
    return rooms_matrix(user)


def ask_page(client, name, kwargs):
    """GET, and POST where GET is not for this address."""
    url = reverse(name, kwargs=kwargs)
    response = client.get(url)
    return client.post(url) if response.status_code == 405 else response


def test_every_page_turns_away_whom_it_should(matrix, user, other, staff):
    faults = []
    for name, arguments in page_names():
        if arguments and name not in matrix.samples:
            faults.append(f"{name} needs a sample for {arguments} in its room's tests/matrix.py")
            continue
        kwargs = matrix.samples.get(name, {})
        stranger = ask_page(Client(), name, kwargs)
        somebody = ask_page(signed_in(other), name, kwargs)
        boss = ask_page(signed_in(staff), name, kwargs)
        if name not in matrix.public and stranger.status_code not in {302, 401, 403, 404}:
            faults.append(f"{name}: a stranger got {stranger.status_code}")
        if stranger.status_code == 302 and name not in matrix.public:
            target = stranger.headers["Location"]
            if "/login" not in target:
                faults.append(f"{name}: a stranger was sent to {target}")
        if name in matrix.staff and somebody.status_code not in {302, 403, 404}:
            faults.append(f"{name}: not staff, yet {somebody.status_code}")
        is_owned = bool(arguments) and name not in matrix.shared | matrix.public
        if is_owned and somebody.status_code not in TURNED_AWAY:
            faults.append(f"{name}: somebody else got {somebody.status_code}")
        if boss.status_code >= 500 or somebody.status_code >= 500 or stranger.status_code >= 500:
            faults.append(f"{name}: broke")
    assert not faults, "\n".join(faults)


def test_every_api_operation_turns_away_whom_it_should(matrix, user, other, staff):
    faults = []
    for method, path in api_operations():
        name = f"api:{method} {path}"
        arguments = re.findall(r"{(\w+)}", path)
        if arguments and name not in matrix.samples:
            faults.append(f"{name} needs a sample for {arguments} in its room's tests/matrix.py")
            continue
        kwargs = {key: quote(str(value)) for key, value in matrix.samples.get(name, {}).items()}
        url = path.format(**kwargs)

        def ask(client, method=method, url=url):
            return getattr(client, method)(url, content_type="application/json")

        stranger, somebody, boss = ask(Client()), ask(signed_in(other)), ask(signed_in(staff))
        if name not in matrix.public and stranger.status_code not in {401, 404}:
            faults.append(f"{name}: a stranger got {stranger.status_code}")
        is_owned = bool(arguments) and name not in matrix.shared | matrix.public
        # 422: the body was refused before anything was looked up; nothing was told or changed
        if is_owned and somebody.status_code not in TURNED_AWAY | {422}:
            faults.append(f"{name}: somebody else got {somebody.status_code}")
        for answer in (stranger, somebody, boss):
            if answer.status_code >= 500:
                faults.append(f"{name}: broke with {answer.status_code}")
            if answer.status_code >= 400 and "error" not in answer.json():
                faults.append(f"{name}: {answer.status_code} not in the house's error shape")
    assert not faults, "\n".join(faults)
