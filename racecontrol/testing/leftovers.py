"""What is still somewhere: every table, sealed column, queue, session, cache and file searched."""

from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection
from django_q.models import OrmQ

from racecontrol.shared import secrets


def places_of(*needles) -> list[str]:
    """Where these words lie: every column of every table, sealed ones opened, queue, files, cache."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(
                f'SELECT (regexp_match(t::text, %s))[1] FROM "{table}" t WHERE t::text ~* %s',
                [f"(?i)({'|'.join(needles)})", "|".join(needles)],
            )
            found += sorted({f"{table}: {word}" for (word,) in cursor.fetchall()})
    texts = {
        f"sealed {model._meta.label}": repr(list(model._base_manager.values_list(*[f.attname for f in fields])))
        for model, fields in secrets.encrypted_fields()
    }  # fmt: skip
    texts["queue"] = repr([message.task for message in OrmQ.objects.all()])
    texts["sessions"] = repr([session.get_decoded() for session in Session.objects.all()])
    texts["cache"] = repr(getattr(cache._connections[cache._alias], "_cache", {}))
    for path in files_in(""):
        with default_storage.open(path, "rb") as file:
            texts[f"file {path}"] = path + file.read().decode("latin-1")
    found += [
        f"{place}: {needle}"
        for place, text in texts.items()
        for needle in needles
        if needle.lower() in text.lower()
    ]
    return found


def files_in(folder) -> list[str]:
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return []
    here = f"{folder}/" if folder else ""
    return [here + name for name in names] + [p for f in folders for p in files_in(here + f)]
