"""Every recorded page is read to its expected values. Needs the shared material, which is optional."""

import json

import pytest

from ingestion.liverc.pages import READERS, read_page
from ingestion.liverc.pages.as_json import to_expected
from racecontrol.testing.shared_cases import needs_shared, shared_json, shared_path

pytestmark = needs_shared


def manifest() -> list[dict]:
    folder = shared_path("liverc")
    return json.loads((folder / "manifest.json").read_text()) if folder else []


@pytest.mark.parametrize("entry", manifest(), ids=lambda entry: entry["file"])
def test_a_recorded_page_is_read_to_its_expected_values(entry):
    page = (shared_path("liverc") / entry["file"]).read_bytes()
    expected = shared_json(f"liverc/{entry['expected']}")

    kind, contents = read_page(page, entry["url"])
    read = json.loads(json.dumps(to_expected(kind, contents)))

    assert kind == entry["type"]
    wanted = {name: value for name, value in expected.items() if not name.startswith("_")}
    differing = {name for name in wanted.keys() | read.keys() if wanted.get(name) != read.get(name)}
    assert {name: read.get(name) for name in differing} == {
        name: wanted.get(name) for name in differing
    }
    assert read == wanted


@pytest.mark.parametrize("entry", manifest(), ids=lambda entry: entry["file"])
def test_content_tells_the_kind_where_the_address_does_not(entry):
    page = (shared_path("liverc") / entry["file"]).read_bytes()

    assert read_page(page)[0] == entry["type"]


@pytest.mark.parametrize("entry", manifest(), ids=lambda entry: entry["file"])
def test_no_reader_takes_another_kind_of_page_for_its_own(entry):
    """A page of another kind is refused with what was missing; it never comes out empty."""
    from ingestion.liverc.errors import UnexpectedPage

    page = (shared_path("liverc") / entry["file"]).read_bytes()
    for kind, reader in READERS.items():
        if kind in (entry["type"], "bot_check"):
            continue
        try:
            contents = reader(page)
        except UnexpectedPage:
            continue
        pytest.fail(f"{kind} reader accepted a {entry['type']} page: {str(contents)[:300]}")
