"""Every knob of the product. The only module that reads the environment."""

import base64
import hashlib
import os
import secrets
import sys
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from racecontrol.logs import configure_structlog, logging_to_console

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / ".var"
env = environ.Env()
if "PYTEST_VERSION" not in os.environ:  # tests must not depend on somebody's .env
    env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=True)
TESTING = "PYTEST_VERSION" in os.environ
PRODUCTION = not DEBUG and not TESTING


def development_only(name: str, value):
    """A default that is fine on a laptop and must be chosen by a person in production."""
    if PRODUCTION:
        raise ImproperlyConfigured(f"Set {name}: with DEBUG off there is no default for it.")
    return value


def generated_secret(name: str) -> str:
    """A random secret of this working copy, made once and kept in .var/ (development only)."""
    VAR_DIR.mkdir(exist_ok=True)
    path = VAR_DIR / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


def generated_key(secret: str) -> str:
    """A Fernet key made from a random text."""
    return base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).decode()


SECRET_KEY = env("SECRET_KEY", default="") or development_only(
    "SECRET_KEY", "" if PRODUCTION else generated_secret("secret_key")
)
if PRODUCTION and len(SECRET_KEY) < 32:
    raise ImproperlyConfigured(
        "SECRET_KEY is too short to protect anything: 32 characters or more."
    )
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[]) or development_only(
    "ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]", "testserver"]
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PUBLIC_URL = env("PUBLIC_URL", default="http://127.0.0.1:8000")  # in mails and calendars

# -- database ------------------------------------------------------------------------------------
# DATABASE_URL names a real server; without it development and tests start the embedded one.
# Commands that only calculate need none: they start nothing and could not reach one.
if sys.argv[1:2] and sys.argv[1] in {"orp", "parse_page", "fake_liverc"}:
    DATABASES = {"default": {"ENGINE": "django.db.backends.dummy"}}
elif env("DATABASE_URL", default=""):
    DATABASES = {"default": env.db("DATABASE_URL")}
elif PRODUCTION and not env.bool("EMBEDDED_DB", default=False):
    raise ImproperlyConfigured("Set DATABASE_URL (or EMBEDDED_DB=1 to use the embedded server).")
else:
    from racecontrol.devdb import database_settings

    DATABASES = {"default": database_settings(BASE_DIR)}
# Never psycopg's pool: q2 forks, and a forked pool shares its sockets.
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    # Shared by all processes; tests have one, and must not find what an earlier test committed.
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test"}
    if TESTING
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "racecontrol_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},  # beyond it counters of attempts would be thrown out
    },
    "local": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# -- the house -----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "django_q",
    "pgactivity",
    "pglock",
    "waffle",
    "csp",
    "lucide",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "racecontrol",
    "ingestion",
    "runplans",
    "strategy",
    "coaching",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "racecontrol.middleware.CompressText",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "racecontrol.middleware.RequestIds",
    "racecontrol.middleware.LivePosition",
    "racecontrol.middleware.RefuseUnstorableText",
    "racecontrol.middleware.KeepFromCaches",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "racecontrol.middleware.LoginForPages",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "waffle.middleware.WaffleMiddleware",
    "racecontrol.middleware.ShowRefusals",
]
ROOT_URLCONF = "racecontrol.urls"
WSGI_APPLICATION = "racecontrol.wsgi.application"
ASGI_APPLICATION = "racecontrol.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["racecontrol.templatetags.race_format"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "racecontrol.navigation.navigation",
            ],
        },
    }
]
USE_TZ = True
TIME_ZONE = "UTC"  # the database, the logs and every schedule; people see their own zone
LANGUAGE_CODE = "en"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticroot"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = env("MEDIA_ROOT", default=str(VAR_DIR / "media"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "racecontrol.static_files.StampedStaticFiles"
    },
}


def s3_store(*, bucket: str, url: str, key: str, secret: str) -> dict:
    """Uploads in an S3-compatible store: private, never overwritten. Needs django-storages[s3]."""
    options = {
        "bucket_name": bucket,
        "endpoint_url": url or None,
        "access_key": key,
        "secret_key": secret,
        "default_acl": "private",
        "querystring_auth": True,
        "file_overwrite": False,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


if env("MEDIA_S3_BUCKET", default=""):
    STORAGES["default"] = s3_store(
        bucket=env("MEDIA_S3_BUCKET"),
        url=env("MEDIA_S3_URL", default=""),
        key=env("MEDIA_S3_KEY"),
        secret=env("MEDIA_S3_SECRET"),
    )
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION
WHITENOISE_MAX_AGE = 60 if PRODUCTION else 86_400  # s, of names that do not change with the file

# -- people --------------------------------------------------------------------------------------
AUTH_USER_MODEL = "racecontrol.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if TESTING
    else [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_ADAPTER = "racecontrol.adapter.AccountAdapter"
ACCOUNT_FORMS = {"signup": "racecontrol.forms.NewAccountForm"}
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Race Control] "
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if PRODUCTION else "http"
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
if EMAIL_CONFIG["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
    EMAIL_BACKEND = "racecontrol.shared.mail.SmtpBackend"
EMAIL_TIMEOUT = (
    20  # seconds for each answer of the mail server, which would else be waited for ever
)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("FROM_EMAIL", default="Race Control <race@localhost>")
ADMINS = [("Operators", address) for address in env.list("ADMIN_EMAILS", default=[])]

# -- security ------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=PRODUCTION)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^health/"]  # probes come from inside, without TLS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
# How many reverse proxies stand in front; only that many X-Forwarded-For entries are believed, and
# where there are fewer none: the caller is then whoever holds the connection.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
API_WRITES_PER_MINUTE = env.int("API_WRITES_PER_MINUTE", default=600)  # per token or person
API_ANONYMOUS_WRITES_PER_MINUTE = env.int("API_ANONYMOUS_WRITES_PER_MINUTE", default=120)  # per IP
# Whether strangers may make run plans through the API, and read those strangers made, by id.
RUN_PLANS_ANONYMOUS = env.bool("RUN_PLANS_ANONYMOUS", default=not PRODUCTION)
METRICS_TOKEN = env("METRICS_TOKEN", default="")  # lets a scraper read /metrics without a session

# What seals stored secrets (API keys, prompts, health notes): Fernet keys, the newest first.
FIELD_KEYS = env.list("FIELD_KEYS", default=[]) or development_only(
    "FIELD_KEYS", [] if PRODUCTION else [generated_key(generated_secret("field_key"))]
)

# -- background work -----------------------------------------------------------------------------
# The queue lives in our own database, so a job and the rows it is about commit together.
# retry > timeout * (1 + ceil((queue_limit + 1) / workers)), or a healthy cluster runs tasks twice.
Q_CLUSTER = {
    "name": "default",
    "orm": "default",
    "workers": env.int("Q_WORKERS", default=2),
    "queue_limit": 1,  # what a cluster takes beyond what it works on is kept from other hosts
    "bulk": 1,
    "poll": 0.2,
    "timeout": 300,
    "retry": 1000,
    "max_attempts": 3,
    "ack_failures": True,  # our own Job row decides about another try
    "catch_up": False,
    "save_limit": -1,
    "recycle": 500,
    "log_level": "WARNING",
    "cache": "local",
    "ALT_CLUSTERS": {
        "slow": {"workers": 1, "queue_limit": 1, "timeout": 3600, "retry": 11_000},
    },
}
# How long rows are kept that nobody reads any more; racecontrol/retention.py says it of every table.
JOBS_KEPT_DAYS = env.int("JOBS_KEPT_DAYS", default=90)  # ended ones, webhook and mail jobs too
LIVE_EVENTS_KEPT_HOURS = env.int("LIVE_EVENTS_KEPT_HOURS", default=24)
AUDIT_KEPT_DAYS = env.int("AUDIT_KEPT_DAYS", default=1095)
AUDIT_VERBS_KEPT = ["driver.merged"]  # read when the merge is taken back
TOKENS_KEPT_DAYS = env.int("TOKENS_KEPT_DAYS", default=90)  # after their end; invitations too
PROPOSALS_KEPT_DAYS = env.int("PROPOSALS_KEPT_DAYS", default=30)  # ways on that nobody took
LAP_FILES_KEPT_DAYS = env.int("LAP_FILES_KEPT_DAYS", default=30)  # their laps stay
# Who may follow which live topic: prefix -> function(user, topic) -> bool, by name.
LIVE_TOPICS: dict[str, str] = {
    "job": "racecontrol.shared.jobs.may_follow",
    "strategy": "strategy.access.may_follow",
    "mission": "coaching.access.may_follow_mission",
}
# What the dashboard shows: functions(request) -> Card or None, by name.
HOME_CARDS: list[str] = [
    "coaching.cards.missions.todays_mission",
    "strategy.cards.next_stint",
    "strategy.cards.races_coming",
    "ingestion.cards.imports_under_way",
    "coaching.cards.garage.latest_results",
    "coaching.cards.garage.latest_scores",
    "runplans.cards.latest_plans",
    "ingestion.cards.latest_events",
]
# How each kind of user begins: functions(request) -> Journey, by name (shared/first_steps.py).
FIRST_STEPS: list[str] = [
    "coaching.first_steps.racer",
    "strategy.first_steps.strategist",
    "coaching.first_steps.athlete",
]
# What the search over everything asks, in the order the answers stand: functions(request, question)
# -> groups of what was found, by name (racecontrol/shared/search.py).
SEARCH_SOURCES: list[str] = [
    "racecontrol.places.places",
    "strategy.search.strategy",
    "runplans.search.plans",
    "coaching.search.coaching",
    "ingestion.search.timing",
]
# Whether two people share a team: function(user, owner_id) -> bool, by name. Strategy fills it.
TEAM_LOOKUP = "strategy.queries.shares_team"
# Which timing drivers a person is: function(user_id) -> [driver id], by name. Coaching fills it.
TIMING_DRIVERS_OF = "coaching.queries.claims.drivers_of"
# What is left of the request budgets: function() -> [{"source", "left_today", ...}], by name.
BUDGET_REPORT = "ingestion.services.fetching.budget_report"
# Numbers of the rooms for Prometheus: functions() -> metrics of prometheus_client, by name.
ROOM_METRICS = ["ingestion.metrics.practice_metrics"]
# What `load_demo` asks each room for: functions(by=user), repeatable, by name.
DEMO_LOADERS: list[str] = [
    "ingestion.demo.load_demo",
    "runplans.demo.load_demo",
    "strategy.demo.load_demo",
    "coaching.services.garage_demo.load_demo",
    "ingestion.demo.load_practice_demo",
]
# What `rotate_keys` asks for files that lie sealed in the store: functions() -> how many.
SEALED_FILES = ["coaching.services.reasoning_logs.reseal"]
# Who adds facts to the coach's morning: functions(user, day, now) -> [Fact], by name.
COACHING_FACT_SOURCES = [
    "coaching.queries.athlete_facts.facts",
    "coaching.queries.garage_facts.facts",
    "coaching.queries.practice_facts.facts",
]
# What rooms do before a person and all their rows go: functions(user), by name, repeatable.
BEFORE_PERSON_GOES = [
    "coaching.services.connections.let_go",
    "strategy.services.leaving.let_go",
]
# What happens after an event was imported, by task name: ingestion knows no other app.
AFTER_EVENT_IMPORT: list[str] = [
    "coaching.tasks.score_event",
    "ingestion.tasks.run_match_practice",
]
# News of a person's word about what a session was: tasks that take (race_id, kind of run before).
AFTER_SESSION_TYPE: list[str] = ["coaching.tasks.follow_session_type"]
# Who follows when two drivers turn out to be one, or one to be two, inside that transaction:
# functions(was_id, now_id, only) -> ids of what moved; `only` is what to move back.
DRIVER_FOLLOWERS: list[str] = [
    "coaching.services.claims.follow_driver",
    "strategy.services.events.follow_driver",
]

# -- timing source -------------------------------------------------------------------------------
LIVERC_URL_TEMPLATE = env("LIVERC_URL_TEMPLATE", default="https://{track}.liverc.com")
LIVERC_CATALOGUE_URL = env("LIVERC_CATALOGUE_URL", default="https://live.liverc.com/")
LIVERC_CONTACT = env("LIVERC_CONTACT", default="")  # goes into the User-Agent
LIVERC_PER_MINUTE = env.int("LIVERC_PER_MINUTE", default=10)  # requests per track
LIVERC_PER_DAY = env.int("LIVERC_PER_DAY", default=100)
LIVERC_KEEP_DAYS = env.int("LIVERC_KEEP_DAYS", default=365)  # how long stored pages are kept
# Imported practice days so young are looked at again by the clock, so often.
PRACTICE_DRIFT_DAYS = env.int("PRACTICE_DRIFT_DAYS", default=7)
PRACTICE_DRIFT_EVERY_HOURS = env.int("PRACTICE_DRIFT_EVERY_HOURS", default=6)
# Session pages of a day that are asked for again: by each such look once all were asked for twice,
# and by a person's Refresh.
PRACTICE_DRIFT_SESSIONS = env.int("PRACTICE_DRIFT_SESSIONS", default=2)
PRACTICE_REFRESH_SESSIONS = env.int("PRACTICE_REFRESH_SESSIONS", default=20)
PRACTICE_KEEP_RUNS_DAYS = env.int("PRACTICE_KEEP_RUNS_DAYS", default=90)  # their totals stay
PRACTICE_ARCHIVE_MONTHS = env.int("PRACTICE_ARCHIVE_MONTHS", default=12)  # older ones are put away

# -- language model ------------------------------------------------------------------------------
# The operator's default endpoint (any OpenAI-compatible one, private addresses allowed) and what
# people may enter themselves. Empty LLM_BASE_URL: everybody brings their own.
LLM_BASE_URL = env("LLM_BASE_URL", default="")
LLM_MODEL = env("LLM_MODEL", default="")
LLM_API_KEY = env("LLM_API_KEY", default="")
LLM_MODE = env("LLM_MODE", default="")  # json_schema, json_object, none; empty finds out
LLM_USER_HOSTS = env.list(
    "LLM_USER_HOSTS", default=["api.openai.com", "api.mistral.ai", "openrouter.ai"]
)
LLM_CUSTOM_URLS = env.bool("LLM_CUSTOM_URLS", default=False)  # any public https host
LLM_TRUSTED_ORIGINS = env.list("LLM_TRUSTED_ORIGINS", default=[])  # http://127.0.0.1:11434
LLM_TOKENS_PER_DAY = env.int("LLM_TOKENS_PER_DAY", default=200_000)  # per person
LLM_CALLS_PER_DAY = env.int("LLM_CALLS_PER_DAY", default=100)  # per person
LLM_CALLS_AT_ONCE = env.int("LLM_CALLS_AT_ONCE", default=2)  # per endpoint, over all workers
LLM_PROMPTS_KEPT_DAYS = env.int("LLM_PROMPTS_KEPT_DAYS", default=180)
MISSIONS_ARCHIVED_AFTER_DAYS = env.int("MISSIONS_ARCHIVED_AFTER_DAYS", default=90)
# Scripted replies for the demo login, labelled as such everywhere; never where DEBUG is off.
COACHING_SCRIPTED_DEMO = not PRODUCTION

# -- the athlete's other services ----------------------------------------------------------------
# Registered with each provider by the operator; without a client id a provider cannot be connected
# (intervals.icu also takes a person's own key). The addresses differ only for stand-ins.
STRAVA_CLIENT_ID = env("STRAVA_CLIENT_ID", default="")
STRAVA_CLIENT_SECRET = env("STRAVA_CLIENT_SECRET", default="")
STRAVA_URL = env("STRAVA_URL", default="https://www.strava.com")
STRAVA_WEBHOOK_SECRET = env("STRAVA_WEBHOOK_SECRET", default="")  # part of the hook's address
# Strava's API policy of June 2026 keeps its data out of AI applications and analytics and lets us
# hold it for 7 days. Off keeps to that; on is the operator's own agreement with Strava.
STRAVA_DATA_IN_COACHING = env.bool("STRAVA_DATA_IN_COACHING", default=False)
OURA_CLIENT_ID = env("OURA_CLIENT_ID", default="")
OURA_CLIENT_SECRET = env("OURA_CLIENT_SECRET", default="")
OURA_URL = env("OURA_URL", default="https://api.ouraring.com")
OURA_SIGN_IN_URL = env("OURA_SIGN_IN_URL", default="https://cloud.ouraring.com/oauth/authorize")
INTERVALS_CLIENT_ID = env("INTERVALS_CLIENT_ID", default="")
INTERVALS_CLIENT_SECRET = env("INTERVALS_CLIENT_SECRET", default="")
INTERVALS_URL = env("INTERVALS_URL", default="https://intervals.icu")

# -- logs ----------------------------------------------------------------------------------------
configure_structlog()
LOGGING = logging_to_console(
    line=env("LOG_FORMAT", default="json" if PRODUCTION else "console"),
    level=env("LOG_LEVEL", default="INFO" if PRODUCTION else "CRITICAL" if TESTING else "WARNING"),
)
DJANGO_STRUCTLOG_COMMAND_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = TRUSTED_PROXIES > 0
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
