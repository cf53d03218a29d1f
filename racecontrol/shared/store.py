"""Where files lie: uploads, packed exports, sealed logs. One store for all hosts, and it is checked.

The database knows the store's mark; a file of that name lies in the store. A host that does not see
the file has a folder of its own, or lost the mount: what it wrote there nobody else would find, and
what it deleted would stay. So it keeps its hands off and says why.
"""

from time import monotonic
from typing import Any, Final
from uuid import uuid4

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage
from django.db import transaction

from racecontrol.models import StoreMark
from racecontrol.shared.errors import SourceUnavailable

log = structlog.get_logger(__name__)
SURE_FOR_S: Final = 30.0
NOT_OURS: Final = (
    "The file store of this host (MEDIA_ROOT or MEDIA_S3_BUCKET) is not the one the site uses: "
    "mount the shared folder, name the same bucket, or, where the files are lost for good, run "
    "`manage.py sync_setup --new-store`."
)

_seen: dict[Any, float] = {}  # the mark this process saw, and when


class StoreAway(SourceUnavailable):
    """This host does not see the site's files; another one may, and this one may later."""

    code = "store_away"
    status = 503


def files() -> Storage:
    """The store, for reading, writing and deleting. Raises StoreAway."""
    if not is_ours():
        raise StoreAway(
            "This host does not see the site's file store: nothing was kept or read. "
            "Try again in a while; operators find it in the log."
        )
    return default_storage


def is_ours() -> bool:
    """Does the store hold the site's mark? The first who asks in a new site sets it."""
    mark = StoreMark.objects.values_list("mark", flat=True).first()
    if mark is None:
        return renew(only_if_none=True)
    if monotonic() - _seen.get(mark, -SURE_FOR_S) < SURE_FOR_S:
        return True
    try:
        is_there = default_storage.exists(name_of(mark))
    except Exception:  # whatever a store that is away raises
        log.exception("file_store_does_not_answer")
        return False
    if is_there:
        _seen[mark] = monotonic()
    return is_there


def renew(*, only_if_none: bool = False) -> bool:
    """Make what this host sees the site's store: in a new site, and after the old one was lost.

    The mark changes with the store: should the old one turn up again, it is no longer believed.
    """
    with transaction.atomic():
        row, is_new = StoreMark.objects.select_for_update().get_or_create(pk=1)
        if only_if_none and not is_new:
            return default_storage.exists(name_of(row.mark))
        if is_new or not default_storage.exists(name_of(row.mark)):
            if not is_new:
                row.mark = uuid4()
                row.save(update_fields=["mark"])
            default_storage.save(name_of(row.mark), ContentFile(b"Race Control: do not delete\n"))
    return True


def name_of(mark: Any) -> str:
    return f"marks/{mark}"


def faults() -> list[str]:
    """For checks and the log at a start; a site without files has none."""
    if not StoreMark.objects.exists() or is_ours():
        return []
    return [NOT_OURS]
