"""The same import from a terminal, and what the readers make of a saved page."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils.timezone import now

from ingestion import tasks
from ingestion.fake_liverc.people import DEMO
from ingestion.fake_liverc.site import Site
from ingestion.fake_liverc.world import DEMO_EVENT_ID, World
from ingestion.models import Event, Race, StoredPage
from racecontrol.testing.shared_cases import needs_shared, shared_path

EVENT = str(DEMO_EVENT_ID)


def said(*words: str, **options) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_an_event_is_imported_by_number_and_again_by_address(site):
    first = said("import_event", EVENT, "--track", DEMO)

    count = Race.objects.count()
    assert Event.objects.get().state == Event.State.IMPORTED
    assert f"{count} races: {count} changed, 0 unchanged" in first

    url = f"{site.url_template.format(track=DEMO)}/results/?p=view_event&id={EVENT}"
    assert f"{count} not asked for again" in said("import_event", url)


@pytest.mark.django_db
def test_what_cannot_be_imported_is_refused_in_words(site):
    with pytest.raises(CommandError, match="name its track"):
        said("import_event", EVENT)
    with pytest.raises(CommandError, match="not the address of an event"):
        said("import_event", "https://redgum.liverc.com/practice/")
    with pytest.raises(CommandError, match="not an event number"):
        said("import_event", "tomorrow", "--track", DEMO)
    assert Event.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_the_cost_is_told_before_and_a_spent_day_ends_it(site, settings):
    settings.LIVERC_PER_DAY = 6
    out = StringIO()

    with pytest.raises(CommandError, match="Run the command again then"):
        call_command("import_event", EVENT, track=DEMO, stdout=out)

    assert out.getvalue().startswith("This import takes about 42 requests")
    assert Event.objects.get().state == Event.State.PARTIAL

    settings.LIVERC_PER_DAY = 10_000
    assert "0 failed" in said("import_event", EVENT)
    assert Event.objects.get().state == Event.State.IMPORTED


def test_a_saved_page_is_printed_and_touches_no_database(tmp_path):
    world = World(seed=1)
    race = world.meeting(world.track(DEMO), DEMO_EVENT_ID).races[-1]
    inside = f"/results/?p=view_race_result&id={race.id}"
    file = tmp_path / "race.html"
    file.write_text(Site(world).body_of(f"/{DEMO}{inside}"))

    by_address = json.loads(said("parse_page", str(file), url=f"https://{DEMO}.liverc.com{inside}"))
    by_content = json.loads(said("parse_page", str(file)))

    assert by_address == by_content
    assert by_address["type"] == "race_result"
    assert len(by_address["results"]) == len(race.runs)


def test_what_is_no_timing_page_is_refused_with_its_name(tmp_path):
    file = tmp_path / "shop.html"
    file.write_text("<html><body>Tyres, half price</body></html>")

    with pytest.raises(CommandError, match="unknown"):
        said("parse_page", str(file))
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        said("parse_page", str(tmp_path / "nothing.html"))


@needs_shared
def test_every_kind_of_recorded_page_is_printed():
    folder = shared_path("liverc")
    kinds = {one["type"]: one for one in json.loads((folder / "manifest.json").read_text())}

    for kind, entry in kinds.items():
        read = json.loads(said("parse_page", str(folder / entry["file"]), url=entry["url"]))
        wanted = json.loads((folder / entry["expected"]).read_text())
        assert read == {name: one for name, one in wanted.items() if name[0] != "_"}, kind


@pytest.mark.django_db
def test_old_contents_are_pruned_but_never_the_newest_of_an_address(site, settings):
    settings.LIVERC_KEEP_DAYS = 30
    said("import_event", EVENT, "--track", DEMO)
    race = Race.objects.latest("run_order")
    winner = int(race.results.get(position=1).source_driver_id)
    site.change(op="edit", race_id=int(race.source_race_id), driver_id=winner, add_ms=30_000)
    said("import_event", EVENT, "--refresh")
    changed = StoredPage.objects.filter(url__endswith=race.source_race_id).order_by("pk")
    old, new = changed
    addresses = StoredPage.objects.values("url").distinct().count()

    assert tasks.prune_pages() == {"pages": 0}

    StoredPage.objects.update(checked_at=now() - timedelta(days=31))
    StoredPage.objects.filter(pk=new.pk).update(checked_at=now())
    assert tasks.prune_pages()["pages"] >= 1
    assert not StoredPage.objects.filter(pk=old.pk).exists()
    assert StoredPage.objects.filter(pk=new.pk).exists()
    assert StoredPage.objects.values("url").distinct().count() == addresses
