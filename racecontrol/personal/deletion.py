"""Deleting one person: locked at once, then purged from every table and store, with one line left.

The line says that an account was deleted and how many rows went; it names nobody.
"""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection, models, transaction
from django.db.models import ProtectedError, Q
from django.utils.module_loading import import_string
from django.utils.timezone import now
from django_q.models import OrmQ, Task

from racecontrol.models import (
    ApiToken,
    AuditEvent,
    Job,
    LiveEvent,
    PersonDeletion,
    RateWindow,
    User,
)
from racecontrol.personal import belongings, leave_codes
from racecontrol.shared import audit, jobs, ratelimit
from racecontrol.shared.errors import InvalidInput, NotAllowed, TooMany

TRIES_A_MINUTE = 5
PATIENCE = timedelta(minutes=10)  # for work of theirs that is under way
ID_KEYS = ("user_id", "user", "owner_id", "owner", "driver_id", "by", "by_id")
GONE = "somebody who left"


def request_deletion(*, by: Any, password: str = "", code: str = "") -> PersonDeletion:
    """Lock the account at once and queue the purge.

    Raises InvalidInput for a wrong password, or code where the account has none (`leave_codes`),
    NotAllowed for the last administrator, without whom nobody could help anybody, and
    TooMany for who guesses: a stolen session or token must not find the password out here.
    """
    if ratelimit.count_write(f"leave:{by.pk}") > TRIES_A_MINUTE:
        raise TooMany("Too many tries; wait a minute.")
    _check_person(by, password=password, code=code)
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=by.pk)
    if by.is_superuser and not others.exists():
        raise NotAllowed("You are the last administrator: make somebody else one first.")
    with transaction.atomic():
        row, _ = PersonDeletion.objects.get_or_create(user=by, defaults={"requested_at": now()})
        User.objects.filter(pk=by.pk).update(is_active=False)
        _end_sessions(by.pk)
        ApiToken.objects.filter(user=by, revoked_at=None).update(revoked_at=now())
        for job in Job.objects.filter(owner=by, state__in=Job.OPEN):
            jobs.cancel(job.pk, by=by)
        jobs.enqueue(
            "racecontrol.personal.tasks.purge_person", str(row.pk), key=f"purge:{row.pk}",
            title="Delete an account", queue="slow", max_attempts=10,
        )  # fmt: skip
    return row


def _check_person(by: Any, *, password: str, code: str) -> None:
    if by.has_usable_password():
        field, is_good = "password", by.check_password(password)
        message = "This is not your password."
    else:
        field, is_good = "code", leave_codes.is_good(code, user=by)
        message = "This code is wrong or older than 15 minutes: have a new one mailed."
    if not is_good:
        raise InvalidInput(message, fields={field: [message]})


def purge(*, deletion_id: UUID) -> dict[str, int]:
    """Delete everything; a second call finds nothing left to do. Raises jobs.Later while work of
    theirs is still being stopped."""
    row = PersonDeletion.objects.select_related("user").filter(pk=deletion_id).first()
    if row is None or row.user is None:
        return {}
    user = row.user
    is_busy = Job.objects.filter(owner=user, state=Job.State.RUNNING).exists()
    if is_busy and now() < row.requested_at + PATIENCE:
        raise jobs.Later(now() + timedelta(seconds=5), "Work under way is being stopped.")
    files = belongings.delete_files(user)
    with transaction.atomic():
        for name in settings.BEFORE_PERSON_GOES:
            import_string(name)(user)
        _clean_house(user)
        rows = _delete_rows(user)
        row.refresh_from_db()
        row.done_at, row.rows = now(), rows
        row.save(update_fields=["done_at", "rows"])
        audit.record(by=None, verb="account.deleted", obj=row, after={"rows": rows, "files": files})
    cache.clear()  # names and counts of theirs may lie in it; it holds nothing that cannot be made anew
    return {"rows": rows, "files": files}


def _delete_rows(user: Any) -> int:
    """Every row that is theirs, the outermost tables first; what protects another waits its turn."""
    left = [table for table in reversed(belongings.owned()) if table.model is not User]
    count = 0
    while left:
        waiting = []
        for table in left:
            try:
                with transaction.atomic():
                    count += table.rows(user).delete()[0]
            except ProtectedError:
                waiting.append(table)
        if len(waiting) == len(left):
            names = ", ".join(table.label for table in waiting)
            raise RuntimeError(f"rows of {names} hold each other")
        left = waiting
    return count + User.objects.filter(pk=user.pk).delete()[0]


# -- what no foreign key leads to --------------------------------------------------------------


def _clean_house(user: Any) -> None:
    _end_sessions(user.pk)
    _forget_jobs(user)
    _forget_trail(user)
    keys = [f"user:{user.pk}", f"leave:{user.pk}", leave_codes.rate_key(user)]
    RateWindow.objects.filter(key__in=keys).delete()
    tokens = ApiToken.objects.filter(user=user).values_list("pk", flat=True)
    RateWindow.objects.filter(key__in=[f"token:{pk}" for pk in tokens]).delete()
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(Q(user=user) | Q(content_type=kind, object_id=str(user.pk))).delete()
    for table in belongings.mentioning():
        _forget_name(table, user)
    for model, field in _json_columns():
        _scrub_column(model, field, user)


def _forget_name(table: belongings.Table, user: Any) -> None:
    """Rows of others that mention the person (a race result): a column that is their name, too."""
    rows = table.rows(user)
    for field in table.model._meta.concrete_fields:
        is_text = type(field) in (models.CharField, models.TextField) and not field.choices
        if is_text and (field.max_length or len(GONE)) >= len(GONE):
            for name in _names(user):
                rows.filter(**{f"{field.name}__iexact": name}).update(**{field.name: GONE})


def _end_sessions(user_id: int) -> None:
    for session in Session.objects.iterator(chunk_size=500):
        if str(session.get_decoded().get("_auth_user_id")) == str(user_id):
            session.delete()


def _forget_jobs(user: Any) -> None:
    """Their jobs with the messages, results and news of them."""
    mine = Job.objects.filter(owner=user)
    ids = {str(pk) for pk in mine.values_list("pk", flat=True)}
    for message in OrmQ.objects.iterator(chunk_size=500):
        if set(map(str, message.task.get("args") or ())) & ids:
            message.delete()
    for task in Task.objects.filter(func=jobs.RUNNER).iterator(chunk_size=500):
        if set(map(str, task.args or ())) & ids:
            task.delete()
    LiveEvent.objects.filter(topic__in=[f"job:{pk}" for pk in ids]).delete()
    mine.delete()


def _forget_trail(user: Any) -> None:
    """The trail keeps that something was done; about their own things not what, by them not who."""
    events = AuditEvent.objects.all()
    empty = {"object_name": "", "before": {}, "after": {}, "reason": ""}
    for table in belongings.owned():
        if table.model is User:
            continue
        keys = [str(pk) for pk in table.rows(user).values_list("pk", flat=True)]
        about = events.filter(object_type=table.label)
        for at in range(0, len(keys), 1000):
            about.filter(object_id__in=keys[at : at + 1000]).update(**empty)
    me = Q(object_type="racecontrol.user", object_id=str(user.pk))
    events.filter(me).update(object_id="", **empty)
    names = [name for name in (user.email, user.username, user.display_name) if len(name) > 3]
    for name in names:
        events.filter(object_name__icontains=name).update(object_name="")
        events.filter(reason__icontains=name).update(reason="")
    events.filter(by=user).update(by=None)


def _json_columns() -> list[tuple[type[models.Model], str]]:
    from django.apps import apps

    theirs = {table.model for table in belongings.owned()}
    return [
        (model, field.name)
        for model in apps.get_models()
        if model not in theirs and model._meta.managed
        for field in model._meta.concrete_fields
        if isinstance(field, models.JSONField)
    ]


def _scrub_column(model: type[models.Model], name: str, user: Any) -> None:
    """In what others keep (a team's plan), their number becomes empty and their name a phrase."""
    table, column = model._meta.db_table, model._meta.get_field(name).column
    keys = "|".join(ID_KEYS)
    words = [re.escape(word) for word in _names(user)]
    pattern = rf'"({keys})": ?"?{user.pk}\M' + "".join(f'|"{word}"' for word in words)
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {quote(model._meta.pk.column)} FROM {quote(table)}"
            f" WHERE {quote(column)}::text ~* %s",
            [pattern],
        )
        found = [row[0] for row in cursor.fetchall()]
    for row in model._base_manager.filter(pk__in=found):
        before = getattr(row, name)
        after = scrubbed(before, user_id=user.pk, names=_names(user))
        if after != before:
            model._base_manager.filter(pk=row.pk).update(**{name: after})


def _names(user: Any) -> list[str]:
    """What the person is called; a name of one or two letters is no name to look for."""
    return [name for name in (user.email, user.username, user.display_name) if len(name) > 2]


def scrubbed(value: Any, *, user_id: int, names: list[str]) -> Any:
    """`value` without this person: their number under a key of ID_KEYS, their name as a whole text."""
    folded = {name.casefold() for name in names}

    def clean(inner: Any, key: str = "") -> Any:
        if isinstance(inner, dict):
            return {k: clean(v, str(k)) for k, v in inner.items()}
        if isinstance(inner, list):
            return [clean(v, key) for v in inner]
        if isinstance(inner, str) and inner.casefold() in folded:
            return GONE
        return None if key in ID_KEYS and str(inner) == str(user_id) else inner

    return clean(value)
