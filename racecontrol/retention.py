"""How long each table keeps its rows. Every table has an answer here; a test asks for it.

`PRUNED`: the schedule that deletes old rows and the setting that says how old. `GOES_WITH`: rows
that leave with the row they belong to. `KEPT`: for ever, or until somebody deletes them, and why
that is bearable.
"""

from datetime import timedelta

from allauth.account.models import EmailConfirmation
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Q
from django.utils.timezone import now
from django_q.models import Task

from racecontrol.models import ApiToken, AuditEvent, Job, RateWindow
from racecontrol.shared import live
from racecontrol.shared.pruning import delete_old

HOUSE = "racecontrol.tasks.prune"
FIXED = ""  # no setting: the moment stands in the row, or the code names it

# table -> (task of racecontrol.schedules, setting)
PRUNED: dict[str, tuple[str, str]] = {
    "racecontrol.job": (HOUSE, "JOBS_KEPT_DAYS"),
    "django_q.task": (HOUSE, "JOBS_KEPT_DAYS"),
    "racecontrol.liveevent": (HOUSE, "LIVE_EVENTS_KEPT_HOURS"),
    "racecontrol.auditevent": (HOUSE, "AUDIT_KEPT_DAYS"),
    "admin.logentry": (HOUSE, "AUDIT_KEPT_DAYS"),
    "racecontrol.apitoken": (HOUSE, "TOKENS_KEPT_DAYS"),
    "account.emailconfirmation": (HOUSE, "TOKENS_KEPT_DAYS"),
    "racecontrol.ratewindow": (HOUSE, FIXED),
    "sessions.session": (HOUSE, FIXED),
    "racecontrol.personexport": ("racecontrol.tasks.drop_exports", FIXED),
    "ingestion.storedpage": ("ingestion.tasks.prune_pages", "LIVERC_KEEP_DAYS"),
    "ingestion.fetchlog": ("ingestion.tasks.prune_pages", "LIVERC_KEEP_DAYS"),
    "ingestion.hostblock": ("ingestion.tasks.prune_pages", "LIVERC_KEEP_DAYS"),
    "ingestion.practicerun": ("ingestion.tasks.prune_practice_runs", "PRACTICE_KEEP_RUNS_DAYS"),
    "strategy.invitation": ("strategy.tasks.prune", "TOKENS_KEPT_DAYS"),
    "strategy.liveproposal": ("strategy.tasks.prune", "PROPOSALS_KEPT_DAYS"),
    "coaching.lapfile": ("coaching.tasks.prune_lap_files", "LAP_FILES_KEPT_DAYS"),
    "coaching.missiondraft": ("coaching.tasks.prune_prompts", "LLM_PROMPTS_KEPT_DAYS"),
    "coaching.reasoninglog": ("coaching.tasks.prune_prompts", "LLM_PROMPTS_KEPT_DAYS"),
}

# table -> the table whose rows take it along
GOES_WITH: dict[str, str] = {
    "account.emailaddress": "racecontrol.user",
    "socialaccount.socialaccount": "racecontrol.user",
    "socialaccount.socialtoken": "socialaccount.socialaccount",
    "racecontrol.user_groups": "racecontrol.user",
    "racecontrol.user_user_permissions": "racecontrol.user",
    "waffle.flag_users": "racecontrol.user",
    "waffle.flag_groups": "waffle.flag",
    "auth.group_permissions": "auth.group",
    "auth.permission": "contenttypes.contenttype",
    "ingestion.raceclass": "ingestion.event",
    "ingestion.race": "ingestion.event",
    "ingestion.raceresult": "ingestion.race",
    "ingestion.lap": "ingestion.raceresult",
    "ingestion.bumpup": "ingestion.event",
    "ingestion.officialbumpslot": "ingestion.race",
    "ingestion.sessiontypechange": "ingestion.sessiontypebackfill",
    "ingestion.practiceday": "ingestion.event",
    "ingestion.practicesession": "ingestion.event",
    "ingestion.practicedrift": "ingestion.event",
    "ingestion.driveralias": "ingestion.driver",
    "ingestion.drivertransponder": "ingestion.driver",
    "ingestion.favouritetrack": "racecontrol.user",
    "runplans.runplan": "racecontrol.user",
    "strategy.membership": "strategy.team",
    "strategy.car": "strategy.team",
    "strategy.webhook": "strategy.team",
    "strategy.strategyevent": "strategy.team",
    "strategy.eventinstance": "strategy.strategyevent",
    "strategy.eventparticipation": "strategy.strategyevent",
    "strategy.availabilitywindow": "strategy.eventparticipation",
    "strategy.formationdraft": "strategy.strategyevent",
    "strategy.racestrategy": "strategy.team",
    "strategy.planversion": "strategy.racestrategy",
    "strategy.stintplan": "strategy.racestrategy",
    "strategy.liverun": "strategy.racestrategy",
    "strategy.lapevent": "strategy.liverun",
    "strategy.flagperiod": "strategy.liverun",
    "strategy.pitstop": "strategy.liverun",
    "strategy.penalty": "strategy.liverun",
    "strategy.weatherchange": "strategy.liverun",
    "strategy.fuelreading": "strategy.liverun",
    "strategy.livecommand": "strategy.liverun",
    "strategy.racereport": "strategy.liverun",
    "strategy.driverresult": "strategy.racereport",
    "coaching.athletenumbers": "racecontrol.user",
    "coaching.dailymetric": "racecontrol.user",
    "coaching.activity": "racecontrol.user",
    "coaching.activitydetail": "coaching.activity",
    "coaching.athleteupload": "racecontrol.user",
    "coaching.connection": "racecontrol.user",
    "coaching.consent": "racecontrol.user",
    "coaching.checkin": "racecontrol.user",
    "coaching.llmaccount": "racecontrol.user",
    "coaching.llmexchange": "racecontrol.user",
    "coaching.profileclaim": "coaching.racerprofile",
    "coaching.racerprofile": "racecontrol.user",
    "coaching.vehicle": "coaching.racerprofile",
    "coaching.session": "coaching.racerprofile",
    "coaching.heat": "coaching.session",
    "coaching.runlog": "coaching.heat",
    "coaching.orpscore": "coaching.session",
    "coaching.setupchange": "coaching.session",
    "coaching.xfactoraudit": "coaching.session",
    "coaching.mission": "racecontrol.user",
    "coaching.missiontransition": "coaching.mission",
    "coaching.eventrules": "coaching.mission",
    "coaching.stageresult": "coaching.mission",
    "coaching.missionrun": "coaching.mission",
    "coaching.runrevision": "coaching.missionrun",
    "coaching.runresponse": "coaching.missionrun",
    "coaching.missionnotification": "coaching.mission",
}

KEPT: dict[str, str] = {
    "racecontrol.user": "until the person deletes the account",
    "racecontrol.persondeletion": "the receipt of a deletion; names nobody",
    "racecontrol.storemark": "one row",
    "auth.group": "a handful, made by operators",
    "contenttypes.contenttype": "one row per table",
    "django_q.ormq": "gone once a worker has acknowledged the message",
    "django_q.schedule": "one row per line of racecontrol.schedules",
    "waffle.flag": "one row per flag of the code",
    "waffle.switch": "not used",
    "waffle.sample": "not used",
    "socialaccount.socialapp": "a handful, made by operators",
    "ingestion.track": "the catalogue of the timing source",
    "ingestion.event": "what was raced is what the site is for; deleting one is an operator's act",
    "ingestion.driver": "who raced; merged, never pruned",
    "ingestion.sessiontypebackfill": "one row per run over old races; its trail holds each such race once",
    "ingestion.practiceruntotal": "one row per kind and outcome: what pruned runs came to",
    "ingestion.practicealert": "one row per rule",
    "strategy.club": "a handful",
    "strategy.team": "until its last member goes",
    "coaching.revocation": "gone once the provider took the permission back, or after a day of tries",
    "coaching.providerlimit": "one row per provider",
    "coaching.modelprice": "one row per model, set by operators",
    "coaching.endpointhealth": "one row per endpoint",
}


def prune_house() -> dict[str, int]:
    """Drop what the house's own tables hold too long; how many rows went, by kind."""
    moment = now()
    jobs_before = moment - timedelta(days=settings.JOBS_KEPT_DAYS)
    audit_before = moment - timedelta(days=settings.AUDIT_KEPT_DAYS)
    tokens_before = moment - timedelta(days=settings.TOKENS_KEPT_DAYS)
    ended = Q(revoked_at__lt=tokens_before) | Q(expires_at__lt=tokens_before)
    trail = AuditEvent.objects.exclude(verb__in=settings.AUDIT_VERBS_KEPT)
    rows = {
        "jobs": Job.objects.exclude(state__in=Job.OPEN).filter(finished_at__lt=jobs_before),
        "failures": Task.objects.filter(stopped__lt=jobs_before),
        "audit": trail.filter(at__lt=audit_before),
        "admin": LogEntry.objects.filter(action_time__lt=audit_before),
        "tokens": ApiToken.objects.filter(ended),
        "confirmations": EmailConfirmation.objects.filter(created__lt=tokens_before),
        "sessions": Session.objects.filter(expire_date__lt=moment),
        "windows": RateWindow.objects.filter(window__lt=moment - timedelta(hours=1)),
    }
    counts = {name: delete_old(found) for name, found in rows.items()}
    counts["live"] = live.prune(before=moment - timedelta(hours=settings.LIVE_EVENTS_KEPT_HOURS))
    counts["cache"] = forget_cached()
    return counts


def forget_cached() -> int:
    """Django's database cache drops what has run out only when it is full, or asked for it."""
    table = settings.CACHES["default"]["LOCATION"]
    if table not in connection.introspection.table_names():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f'DELETE FROM "{table}" WHERE expires < now()')
        return cursor.rowcount
