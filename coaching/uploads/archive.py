"""Zip files from strangers: never extracted, read as a stream, counted while they inflate."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

from coaching.uploads.errors import BadUpload

MOST_ENTRIES = 200_000
MOST_BYTES = 20 * 1024**3  # inflated; the largest exports seen are a sixth of it
# Health exports compress 10 to 20 times. A bomb does 1,000 times and more.
MOST_RATIO = 200
RATIO_COUNTS_FROM = 50 * 1024**2
CHUNK = 256 * 1024


def opened(file: IO[bytes]) -> zipfile.ZipFile:
    """The archive, checked as far as its directory tells. Raises BadUpload."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError) as error:
        raise BadUpload("This is not a zip file, or it was cut short: export it again.") from error
    entries = archive.infolist()
    if not entries:
        raise BadUpload("The zip file is empty.")
    if len(entries) > MOST_ENTRIES:
        raise BadUpload("The zip file has too many entries to be an export.")
    return archive


def stream(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    *,
    on_read: Callable[[int], None] = lambda compressed: None,
) -> Iterator[bytes]:
    """The bytes of one entry in chunks. Raises BadUpload for bombs, passwords, damage.

    `on_read` hears how many compressed bytes of the whole file have been read.
    """
    if entry.flag_bits & 0x1:
        raise BadUpload("The zip file has a password: export it again without one.")
    if entry.file_size > MOST_BYTES:
        raise BadUpload("The zip file inflates to more than 20 GB.")
    inflated, packed = 0, max(entry.compress_size, 1)
    source: Any = archive.fp
    try:
        with archive.open(entry) as inner:
            while chunk := inner.read(CHUNK):
                inflated += len(chunk)
                if inflated > MOST_BYTES or (
                    inflated > RATIO_COUNTS_FROM and inflated / packed > MOST_RATIO
                ):
                    raise BadUpload("The zip file inflates to far more than an export would.")
                on_read(source.tell())
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadUpload("The zip file is damaged: export it again.") from error
