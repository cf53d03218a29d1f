"""The three providers as this site knows them; addresses and registrations are settings."""

from django.conf import settings

from coaching.connections.oauth import Provider

STRAVA, OURA, INTERVALS = "strava", "oura", "intervals"
LABELS = {STRAVA: "Strava", OURA: "Oura", INTERVALS: "intervals.icu"}


def provider_of(name: str) -> Provider:
    """Raises KeyError for a name that is none of LABELS."""
    return {STRAVA: _strava, OURA: _oura, INTERVALS: _intervals}[name]()


def _strava() -> Provider:
    site = settings.STRAVA_URL.rstrip("/")
    return Provider(
        name=STRAVA,
        label=LABELS[STRAVA],
        api_url=site,
        authorize_url=f"{site}/oauth/authorize",
        token_url=f"{site}/oauth/token",
        revoke_url=f"{site}/oauth/revoke",
        revoke_style="basic",
        client_id=settings.STRAVA_CLIENT_ID,
        client_secret=settings.STRAVA_CLIENT_SECRET,
        scopes=("read", "activity:read_all"),
        needed=("activity:read_all",),
        separator=",",
        extra={"approval_prompt": "auto"},
    )


def _oura() -> Provider:
    site = settings.OURA_URL.rstrip("/")
    return Provider(
        name=OURA,
        label=LABELS[OURA],
        api_url=site,
        authorize_url=settings.OURA_SIGN_IN_URL,
        token_url=f"{site}/oauth/token",
        revoke_url=f"{site}/oauth/revoke",
        revoke_style="query",
        client_id=settings.OURA_CLIENT_ID,
        client_secret=settings.OURA_CLIENT_SECRET,
        scopes=("personal", "daily", "heartrate"),
        needed=("personal", "daily"),
    )


def _intervals() -> Provider:
    site = settings.INTERVALS_URL.rstrip("/")
    return Provider(
        name=INTERVALS,
        label=LABELS[INTERVALS],
        api_url=site,
        authorize_url=f"{site}/oauth/authorize",
        token_url=f"{site}/api/oauth/token",
        client_id=settings.INTERVALS_CLIENT_ID,
        client_secret=settings.INTERVALS_CLIENT_SECRET,
        scopes=("ACTIVITY:READ", "WELLNESS:READ"),
        needed=("ACTIVITY:READ", "WELLNESS:READ"),
        separator=",",
    )
