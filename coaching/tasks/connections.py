"""Background work with an athlete's other services."""

from django.utils.timezone import now

from coaching.connections.errors import ProviderError
from coaching.services import connections, mission_results, syncing
from racecontrol.shared import jobs


def sync_connection(job: jobs.Running, connection_id: int) -> dict:
    """Fetch what is new. Limits and troubles of the provider pause it; twice is the same as once."""

    try:
        counts = syncing.sync(connection_id=connection_id, on_progress=job.show)
    except ProviderError as error:
        _later_or_never(connection_id, error)
        raise
    if job.owner_id is not None:
        mission_results.score_activities_of(user_id=job.owner_id, now=now())
    return counts


def look_at_ride(job: jobs.Running, connection_id: int, external_id: str) -> dict:
    """Fetch one activity anew after the provider said that it changed."""
    try:
        return {
            "activity": syncing.look_at_ride(connection_id=connection_id, external_id=external_id)
        }
    except ProviderError as error:
        _later_or_never(connection_id, error)
        raise


def _later_or_never(connection_id: int, error: ProviderError) -> None:
    again_at = syncing.note_failure(connection_id=connection_id, error=error)
    if again_at is not None:
        raise jobs.Later(again_at, f"{error} Trying again by itself.") from None


def test_connection(job: jobs.Running, connection_id: int) -> dict:
    return {"why": connections.test_connection(connection_id=connection_id)}


test_connection.__test__ = False  # type: ignore[attr-defined]


def give_back(job: jobs.Running, revocation_id: int) -> dict:
    """Give a permission back to its provider, trying for about a day."""
    again_at = connections.give_back(revocation_id=revocation_id)
    if again_at is not None:
        raise jobs.Later(again_at, "The provider does not answer; trying again by itself.")
    return {}


def tell_reconnect(job: jobs.Running, connection_id: int) -> dict:
    told = connections.tell_reconnect(connection_id=connection_id, key=f"job:{job.id}")
    return {"told": told}


def sync_connections() -> dict[str, int]:
    """Every quarter of an hour: queue what is due."""
    return {"queued": syncing.queue_due()}


def purge_provider_data() -> dict[str, int]:
    """Every hour: drop what a provider's policy lets us hold for days only."""
    return {"dropped": syncing.purge()}
