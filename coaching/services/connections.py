"""Connecting an athlete's other services, keeping their permission alive, and giving it back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from coaching.connections import intervals, oauth, oura, strava
from coaching.connections.api import Api
from coaching.connections.errors import (
    GrantLost,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    TokenRefused,
)
from coaching.connections.providers import INTERVALS, LABELS, STRAVA, provider_of
from coaching.connections.transport import Reply
from coaching.domain.quotas import resting_until
from coaching.models import Activity, Connection, DailyMetric, ProviderLimit, Revocation
from coaching.services.athlete import has_health_consent
from racecontrol.shared import audit, jobs
from racecontrol.shared.errors import InvalidInput, NotAllowed, NotFound, NotReady
from racecontrol.shared.mail import post

log = structlog.get_logger(__name__)
FRESH: Final = timedelta(minutes=5)  # a token that ends sooner is renewed first
CLIENTS: Final[dict[str, Any]] = {STRAVA: strava, "oura": oura, INTERVALS: intervals}
GIVE_BACK_TRIES: Final = 8
Got = TypeVar("Got")


def check_name(provider: str) -> None:
    if provider not in LABELS:
        raise NotFound("There is no such service here.")


def begin(*, by: Any, provider: str, redirect_uri: str, state: str) -> str:
    """The provider's address where the person agrees. Raises NotFound, NotAllowed, NotReady."""
    check_name(provider)
    _check_consent(by)
    description = provider_of(provider)
    if not description.is_set_up:
        raise NotReady(f"The operator has not registered this site with {description.label} yet.")
    return oauth.authorize_url(description, redirect_uri=redirect_uri, state=state)


def _check_consent(by: Any) -> None:
    if not has_health_consent(by):
        raise NotAllowed("Agree to storing health data first; then connect a service.")


def finish(
    *, by: Any, provider: str, code: str, redirect_uri: str, granted: str = ""
) -> Connection:
    """Keep the permission a callback brought, and queue the first sync.

    `granted` are the scopes of the callback, for a provider that names them there. Raises
    InvalidInput where a needed one was unticked, NotAllowed where the account is another person's.
    """
    check_name(provider)
    _check_consent(by)
    description = provider_of(provider)
    tokens = oauth.exchange(description, code=code, redirect_uri=redirect_uri)
    scopes = tuple(granted.replace(",", " ").split()) or tokens.scopes or description.scopes
    missing = [scope for scope in description.needed if scope not in scopes]
    if missing:
        _queue_revocation(provider, tokens.access)
        raise InvalidInput(
            f"{description.label} was not allowed to give {', '.join(missing)}: connect again and "
            "leave that ticked."
        )
    account = tokens.account_id or _account_of(provider, tokens.access)
    return _keep(by=by, provider=provider, account=account, tokens=tokens, scopes=scopes)


def connect_with_key(*, by: Any, api_key: str) -> Connection:
    """Connect intervals.icu with the person's own key. Raises InvalidInput where it is not good."""
    _check_consent(by)
    api_key = api_key.strip()
    if not api_key or len(api_key) > 200 or any(not 32 < ord(c) < 127 for c in api_key):
        raise InvalidInput("The key cannot be used.", fields={"api_key": ["Letters and digits."]})
    try:
        account = _account_of(INTERVALS, api_key, is_api_key=True)
    except (TokenRefused, ProviderRefused) as refused:
        message = "intervals.icu does not accept this key."
        raise InvalidInput(message, fields={"api_key": [message]}) from refused
    tokens = oauth.Tokens(api_key, "", None, (), account)
    scopes = provider_of(INTERVALS).scopes
    return _keep(
        by=by, provider=INTERVALS, account=account, tokens=tokens, scopes=scopes, is_api_key=True
    )


def _account_of(provider: str, token: str, *, is_api_key: bool = False) -> str:
    api = Api(provider_of(provider), token, is_api_key, **_watch(provider))
    return CLIENTS[provider].account_id(api)


def _keep(
    *, by: Any, provider: str, account: str, tokens: oauth.Tokens, scopes: tuple[str, ...],
    is_api_key: bool = False,
) -> Connection:  # fmt: skip
    label = LABELS[provider]
    try:
        with transaction.atomic():
            row = (
                Connection.objects.select_for_update(of=("self",))
                .filter(owner=by, provider=provider)
                .first()
            ) or Connection(owner=by, provider=provider, connected_at=now())
            if row.pk and row.account_id != account:
                # Another account of the same person: nothing of the old one is continued.
                _queue_revocation(provider, row.access_token, is_api_key=row.is_api_key)
                row.synced_until = None
            row.account_id, row.scopes, row.is_api_key = account, list(scopes), is_api_key
            row.access_token, row.refresh_token = tokens.access, tokens.refresh
            row.previous_refresh_token = ""
            row.expires_at = _moment(tokens.expires_at)
            row.status, row.failures, row.last_error = Connection.Status.ACTIVE, 0, ""
            row.next_sync_at = now()
            row.save()
            audit.record(by=by, verb="connection.made", obj=row, after={"scopes": list(scopes)})
            request_sync(by=by, provider=provider)
    except IntegrityError:
        raise NotAllowed(
            f"This {label} account is connected by somebody else on this site."
        ) from None
    return row


def _moment(epoch: float | None) -> datetime | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)


def request_sync(*, by: Any, provider: str) -> jobs.Job:
    """Fetch what is new, in the background. Raises NotFound, NotReady."""
    row = of(by, provider)
    if row.needs_reconnect:
        raise NotReady(f"{row} does not accept the permission any more: connect again.")
    return queue_sync(row)


def queue_sync(row: Connection) -> jobs.Job:
    job = jobs.enqueue(
        "coaching.tasks.sync_connection",
        row.pk,
        key=f"athlete-sync:{row.pk}",
        owner=row.owner,
        title=f"Fetch from {row}",
        queue="slow",
    )
    Connection.objects.filter(pk=row.pk).update(job=job)
    return job


def request_test(*, by: Any, provider: str) -> jobs.Job:
    """Ask the provider the lightest question, in the background. Raises NotFound."""
    row = of(by, provider)
    return jobs.enqueue(
        "coaching.tasks.test_connection", row.pk, key=f"connection-test:{row.pk}", owner=by,
        title=f"Test of {row}", max_attempts=1,
    )  # fmt: skip


def of(by: Any, provider: str) -> Connection:
    """This person's connection. Raises NotFound."""
    check_name(provider)
    row = Connection.objects.select_related("owner").filter(owner=by, provider=provider).first()
    if row is None:
        raise NotFound(f"You have not connected {LABELS[provider]}.")
    return row


# -- asking with a token that is good ----------------------------------------------------------


def ask(connection_id: int, do: Callable[[Api], Got]) -> Got:
    """Do something with a good token; one that is refused is renewed once.

    `do` may be called twice. Raises GrantLost when only the person can help.
    """
    row = Connection.objects.get(pk=connection_id)
    token = _token(connection_id)
    watch = _watch(row.provider)
    for is_second in (False, True):
        try:
            return do(Api(provider_of(row.provider), token, row.is_api_key, **watch))
        except TokenRefused:
            if is_second:
                break
            token = _token(connection_id, refused=token)
        except ProviderBusy as busy:
            _rest(row.provider, busy.retry_at)
            raise
    _lose(connection_id)
    raise _lost(row.provider)


def _token(connection_id: int, *, refused: str = "") -> str:
    """A token that is neither old nor the refused one. The row lock makes workers renew it once."""
    with transaction.atomic():
        row = Connection.objects.select_for_update(of=("self",)).get(pk=connection_id)
        is_fresh = row.expires_at is None or row.expires_at > now() + FRESH
        if row.needs_reconnect:
            raise _lost(row.provider)
        if is_fresh and row.access_token != refused:
            return row.access_token
        tokens = _renewed(row)
        if tokens is not None:
            if tokens.refresh != row.refresh_token:
                row.previous_refresh_token = row.refresh_token
            row.access_token, row.refresh_token = tokens.access, tokens.refresh
            row.expires_at = _moment(tokens.expires_at)
            row.save(
                update_fields=[
                    "access_token", "refresh_token", "previous_refresh_token", "expires_at",
                ]
            )  # fmt: skip
            return tokens.access
    _lose(connection_id)
    raise _lost(row.provider)


def _renewed(row: Connection) -> oauth.Tokens | None:
    """New tokens by the refresh token, else by the one before it; None where neither is taken."""
    for old in (row.refresh_token, row.previous_refresh_token):
        if old:
            try:
                return oauth.refresh(provider_of(row.provider), refresh_token=old)
            except GrantLost:
                continue
    return None


def _lost(provider: str) -> GrantLost:
    return GrantLost(
        f"{LABELS[provider]} does not accept the permission any more: connect again.",
        reason="invalid_grant",
    )


@transaction.atomic
def _lose(connection_id: int) -> None:
    """Only the person can help now; they hear it once."""
    changed = Connection.objects.filter(pk=connection_id, status=Connection.Status.ACTIVE).update(
        status=Connection.Status.NEEDS_RECONNECT,
        last_error="The permission is not accepted any more: connect again.",
        last_error_at=now(),
        next_sync_at=None,
    )
    if changed:
        jobs.enqueue("coaching.tasks.tell_reconnect", connection_id, title="Tell to connect again")


def tell_reconnect(*, connection_id: int, key: str) -> bool:
    """One mail that a service must be connected again; none where it was meanwhile.

    `key` names this mail, however often its job is tried.
    """
    row = (
        Connection.objects.filter(pk=connection_id, status=Connection.Status.NEEDS_RECONNECT)
        .select_related("owner")
        .first()
    )
    if row is None or not row.owner.email:
        return False
    text = (
        f"{row} does not accept Race Control's permission any more, so nothing new arrives from "
        f"there.\n\nConnect it again: {settings.PUBLIC_URL}/coaching/athlete/connections/\n"
    )
    post(f"[Race Control] Connect {row} again", text, [row.owner.email], key=key)
    return True


# -- limits of a provider, which count for the whole site --------------------------------------


def _watch(provider: str) -> dict[str, Any]:
    """What an Api asks before and tells after each request."""

    def before() -> None:
        row = ProviderLimit.objects.filter(provider=provider).first()
        if row and row.resting_until and row.resting_until > now():
            raise ProviderBusy(
                f"{LABELS[provider]} takes no more requests until {row.resting_until:%H:%M} UTC.",
                retry_at=row.resting_until,
            )

    def after(reply: Reply) -> None:
        if provider == STRAVA and (told := strava.limits_told(reply.headers)):
            moment = now()
            rests = [resting_until(limit=most, usage=used, now=moment) for most, used in told]
            rest = max((r for r in rests if r), default=None)
            ProviderLimit.objects.update_or_create(
                provider=provider,
                defaults={"told": told, "told_at": moment, "resting_until": rest},
            )

    return {"before_call": before, "on_reply": after}


def _rest(provider: str, until: datetime) -> None:
    """Leave a provider alone at least until then."""
    ProviderLimit.objects.get_or_create(provider=provider)
    rows = ProviderLimit.objects.filter(provider=provider)
    rows.filter(resting_until__isnull=True).update(resting_until=until)
    rows.filter(resting_until__lt=until).update(resting_until=until)


# -- testing and ending ------------------------------------------------------------------------


def test_connection(*, connection_id: int) -> str:
    """Ask the lightest question; what the answer means in plain words. Never raises for a fault."""
    row = Connection.objects.filter(pk=connection_id).first()
    if row is None:
        return "There is no such connection any more."
    try:
        account = ask(connection_id, CLIENTS[row.provider].account_id)
    except ProviderError as refused:
        note_error(connection_id, refused)
        return str(refused)
    if account != row.account_id:
        return f"{row} answers for another account than the one connected: connect again."
    Connection.objects.filter(pk=connection_id).update(last_error="", last_error_at=None)
    return f"{row} answers."


test_connection.__test__ = False  # type: ignore[attr-defined]  # pytest: not one of yours


def note_error(connection_id: int, error: Exception) -> None:
    Connection.objects.filter(pk=connection_id).update(
        last_error=str(error)[:300], last_error_at=now()
    )


@transaction.atomic
def disconnect(*, by: Any, provider: str, is_data_dropped: bool = False) -> None:
    """Forget the permission at once and give it back in the background.

    What came from Strava goes with it, as its policy asks; of the others only on demand.
    """
    row = of(by, provider)
    Connection.objects.select_for_update(of=("self",)).get(pk=row.pk)  # after what is being saved
    if row.job is not None and row.job.is_open:
        jobs.cancel(row.job.pk, by=by)
    _queue_revocation(provider, row.access_token, is_api_key=row.is_api_key)
    audit.record(by=by, verb="connection.ended", obj=row)
    if is_data_dropped or provider == STRAVA:
        drop_data(owner=by, provider=provider)
    row.delete()


def drop_data(*, owner: Any, provider: str) -> int:
    """Delete what a provider gave; returns how many rows went."""
    source = LABELS[provider]
    activities = Activity.objects.filter(owner=owner, source=source).exclude(external_id="")
    days = DailyMetric.objects.filter(owner=owner, source=source, upload__isnull=True)
    return activities.delete()[0] + days.delete()[0]


def _queue_revocation(provider: str, token: str, *, is_api_key: bool = False) -> None:
    """A key is the person's own to end; a provider without a revoke address is left as it is."""
    if is_api_key or not token or not provider_of(provider).revoke_url:
        return
    row = Revocation.objects.create(provider=provider, token=token)
    jobs.enqueue(
        "coaching.tasks.give_back", row.pk, key=f"give-back:{row.pk}",
        title=f"Give {LABELS[provider]} its permission back",
    )  # fmt: skip


def let_go(user: Any) -> None:
    """Before a person goes: their permissions are given back by rows that name nobody."""
    for row in Connection.objects.filter(owner=user):
        _queue_revocation(row.provider, row.access_token, is_api_key=row.is_api_key)
        jobs.Job.objects.filter(func="coaching.tasks.tell_reconnect", args=[row.pk]).delete()


def give_back(*, revocation_id: int) -> datetime | None:
    """Give a permission back; when to try again, or None once it is done or given up."""
    row = Revocation.objects.filter(pk=revocation_id).first()
    if row is None:
        return None
    try:
        oauth.revoke(provider_of(row.provider), token=row.token)
    except ProviderError as refused:
        row.attempts += 1
        if row.attempts < GIVE_BACK_TRIES and not isinstance(refused, ProviderRefused):
            row.save(update_fields=["attempts"])
            return now() + timedelta(minutes=5) * 2 ** (row.attempts - 1)
        log.warning("revocation_given_up", provider=row.provider, reason=refused.reason)
    row.delete()
    return None
