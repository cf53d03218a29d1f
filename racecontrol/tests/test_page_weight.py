"""What goes over the wire: text packed for who can unpack it, files that are packed already left alone."""

import gzip
import os
import re
from contextlib import closing

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from racecontrol.middleware import CompressText
from racecontrol.static_files import StampedStaticFiles

PACKED = {"Accept-Encoding": "gzip, br"}


def fetched(client, path, **headers):
    """The answer and its bytes, the file behind it closed."""
    with closing(client.get(path, headers=headers)) as answer:
        return answer, answer.getvalue()


@pytest.mark.django_db
def test_a_page_is_sent_packed_to_a_browser_that_can_unpack_it(client):
    plain = client.get(reverse("account"))
    packed = client.get(reverse("account"), headers=PACKED)

    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert gzip.decompress(packed.content).startswith(plain.content[:200])
    assert len(packed.content) < len(plain.content) / 2


def test_styles_and_scripts_are_sent_packed(client):
    for path in ("/static/css/app.css", "/static/js/app.js"):
        plain, text = fetched(client, path)
        packed, fewer = fetched(client, path, **PACKED)

        assert (packed["Content-Encoding"], "Content-Encoding" in plain) == ("gzip", False)
        assert gzip.decompress(fewer) == text


def test_a_file_that_did_not_change_is_not_sent_again(client):
    first, _ = fetched(client, "/static/css/app.css", **PACKED)
    since = {"If-Modified-Since": first["Last-Modified"]}
    again, _ = fetched(client, "/static/css/app.css", **PACKED, **since)

    assert "ETag" not in first
    assert again.status_code == 304


def test_a_piece_of_a_file_is_sent_as_it_is(client):
    piece, some = fetched(client, "/static/css/app.css", Range="bytes=0-499", **PACKED)

    assert (piece.status_code, len(some)) == (206, 500)
    assert "Content-Encoding" not in piece


def test_an_address_of_a_style_changes_with_the_style(tmp_path, settings):
    style = tmp_path / "one.css"
    style.write_text("a {}")
    settings.STATICFILES_DIRS = [tmp_path]
    finders.get_finder.cache_clear()
    storage = StampedStaticFiles(location=str(tmp_path), base_url="/static/")

    before = storage.url("one.css")
    unchanged = storage.url("one.css")
    os.utime(style, (1_000_000_000, 1_000_000_000))
    after = storage.url("one.css")
    finders.get_finder.cache_clear()

    assert before == unchanged != after
    assert after.startswith("/static/one.css?v=")
    assert storage.url("none.css") == "/static/none.css"


@pytest.mark.django_db
def test_a_browser_may_keep_the_styles_of_a_page(client):
    address = re.findall(r'rel="stylesheet" href="([^"]+)"', client.get("/").text)[0]

    style, _ = fetched(client, address)

    assert "?v=" in address
    assert "max-age=86400" in style["Cache-Control"]


@pytest.mark.parametrize("kind", ["application/zip", "image/png", "application/octet-stream"])
def test_what_is_packed_already_is_left_alone(kind):
    request = RequestFactory().get("/", headers=PACKED)

    answer = CompressText(lambda _: HttpResponse(b"x" * 5_000, content_type=kind))(request)

    assert "Content-Encoding" not in answer
    assert answer.content == b"x" * 5_000
