"""Fetches one file over http or https, and goes on where an interrupted fetch stopped.

What has come lies in ``<folder>/<hash of the address>.part``; beside it stands which version of the file it
is (the server's strong ETag, or its date), so that parts of two versions are never put together: the rest is
asked for with ``Range`` and ``If-Range`` (RFC 9110, sections 13.1.5 and 14). The file stays there until
:meth:`Download.discard`, so a fetch need not be repeated when a later step fails.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import filelock
import httpx
import msgspec

from doppel_models.atomic import write_atomic
from doppel_models.errors import DownloadError
from doppel_models.files import answers
from doppel_models.files.disk import lack_of_room, write_problem
from doppel_models.files.external import MAX_BYTES
from doppel_models.files.formats import HEAD, foreign_format
from doppel_models.files.record import clean_origin

ATTEMPTS = 4
"""Connections in a row that bring the fetch no further before it gives up."""
KEEP_SECONDS = 14 * 24 * 3600
"""Parts of fetches that nobody went on with are deleted after this time."""
_TIMEOUT = httpx.Timeout(30.0, read=60.0)

Progress = Callable[[int, int | None], None]
"""Called with the bytes that have come and the whole file's size, None where the server does not say it."""


class _Version(msgspec.Struct):
    """Which version of the file a part belongs to."""

    validator: Annotated[str, msgspec.Meta(max_length=answers.MAX_VALIDATOR)]
    """For ``If-Range``; empty where the server gives none, so that the part cannot be gone on with."""
    total: int | None


class Download:
    """The fetch of one address into a folder."""

    def __init__(self, url: str, folder: Path, *, max_bytes: int = MAX_BYTES, pause: float = 1.0) -> None:
        """Prepare; nothing is fetched yet.

        Args:
            url: http or https.
            folder: where parts are kept; it is made.
            max_bytes: larger files are refused.
            pause: seconds before the second attempt; doubled each time.

        Raises:
            DownloadError: that is no address that can be fetched.
        """
        self._url = answers.checked_url(url)
        self._folder = folder
        self._max_bytes = max_bytes
        self._pause = pause
        key = hashlib.sha256(url.encode()).hexdigest()[:32]
        self._part = folder / f"{key}.part"
        self._version_path = folder / f"{key}.json"
        self._lock_path = folder / f"{key}.lock"

    def fetch(self, progress: Progress, sha256: str | None = None) -> Path:
        """Fetch the file, or the rest of it.

        Args:
            progress: is told how it goes.
            sha256: what the file's hash must be, where that is known.

        Returns:
            Where the whole file lies until :meth:`discard`.

        Raises:
            DownloadError: it cannot be fetched, is too large, has another hash, or is surely no model. The
                message says whether what has come is kept.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _delete_old(self._folder)
            with filelock.FileLock(self._lock_path, timeout=0):
                if self._part.is_symlink():
                    self._part.unlink()
                self._fetch(progress)
                if sha256 is not None:
                    self._check_hash(sha256)
        except filelock.Timeout as error:
            raise DownloadError("another program is fetching the same file; wait for it to end") from error
        except OSError as error:
            raise DownloadError(write_problem(self._folder, error)) from error
        return self._part

    def discard(self) -> None:
        """Delete what was fetched."""
        for path in (self._part, self._version_path, self._lock_path):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _fetch(self, progress: Progress) -> None:
        failures, furthest = 0, self._size()
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=False, headers=answers.HEADERS) as client:
            while True:
                try:
                    self._connect(client, progress)
                    return
                except (httpx.TransportError, answers.RetryError) as error:
                    # Not "than before": a server with a false length would be asked for ever.
                    failures = 0 if self._size() > furthest else failures + 1
                    furthest = max(furthest, self._size())
                    if failures >= ATTEMPTS:
                        raise DownloadError(
                            f"{clean_origin(self._url)} cannot be fetched: {_reason(error)};"
                            " what has come is kept, run the command again to go on"
                        ) from error
                    time.sleep(min(self._pause * 2.0 ** max(failures - 1, 0), 30.0))
                except httpx.HTTPError as error:
                    raise DownloadError(
                        f"{clean_origin(self._url)} cannot be fetched: {_reason(error)}"
                    ) from error

    def _connect(self, client: httpx.Client, progress: Progress) -> None:
        """One connection: returns when the whole file is there."""
        start, version = self._size(), self._read_version()
        headers = {}
        if start and version and version.validator:
            headers = {"Range": f"bytes={start}-", "If-Range": version.validator}
        with answers.following(client, self._url, headers) as response:
            if response.status_code == 416 and headers:
                if version is not None and version.total == start:
                    progress(start, start)
                    return
                self.discard_part()
                raise answers.RetryError("the server has no such part")
            if response.status_code == 206 and headers:
                total = answers.part_total(response, start)
                if version is None or (total, answers.validator(response)) != (
                    version.total,
                    version.validator,
                ):
                    self.discard_part()
                    raise answers.RetryError("the file has changed on the server")
            elif response.status_code == 200:
                start, total = 0, answers.length(response)
                # Before the new version is noted: an old part must never stand beside it.
                self._part.unlink(missing_ok=True)
            else:
                raise answers.status_error(response)
            self._check_size(total, start)
            write_atomic(
                self._version_path, msgspec.json.encode(_Version(answers.validator(response), total))
            )
            came = self._receive(response, start, total, progress)
        if total is not None and came != total:
            raise answers.RetryError(f"the connection ended after {came:,} of {total:,} bytes")
        # The end of a file of unknown size is where the server says it is.
        self._write_version(answers.validator(response), came)

    def _receive(self, response: httpx.Response, start: int, total: int | None, progress: Progress) -> int:
        came, head = start, b""
        with self._part.open("ab" if start else "wb") as file:
            try:
                for chunk in response.iter_raw():
                    if came + len(chunk) > self._max_bytes:
                        raise self._too_large(came + len(chunk))
                    file.write(chunk)
                    came += len(chunk)
                    if not start and len(head) < HEAD:
                        head = (head + chunk)[:HEAD]
                        self._refuse_foreign(head, whole=came == total)
                    progress(came, total)
            finally:
                file.flush()
                os.fsync(file.fileno())
        if not start:
            self._refuse_foreign(head, whole=True)
        return came

    def _refuse_foreign(self, head: bytes, *, whole: bool) -> None:
        """Stop early where the first bytes show that it is no model."""
        foreign = foreign_format(head) if whole or len(head) >= HEAD else None
        if foreign:
            self.discard_part()
            raise DownloadError(f"what lies at {clean_origin(self._url)} is no model: {foreign}")

    def _check_size(self, total: int | None, start: int) -> None:
        if total is None:
            return
        if total > self._max_bytes:
            raise self._too_large(total)
        if lack := lack_of_room(self._folder, total - start):
            raise DownloadError(lack)

    def _too_large(self, size: int) -> DownloadError:
        self.discard_part()
        return DownloadError(
            f"the file is too large: {size:,} bytes or more, {self._max_bytes:,} are allowed"
        )

    def _check_hash(self, sha256: str) -> None:
        with self._part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256.lower():
            self.discard_part()
            raise DownloadError(
                f"the file that came has the sha256 {found}, not {sha256.lower()}: it is another file or was"
                " changed on its way; it is deleted"
            )

    def discard_part(self) -> None:
        """Delete what was fetched, but keep the lock."""
        # Windows cannot delete the file while it is written; it is begun anew next time all the same.
        with contextlib.suppress(OSError):
            self._version_path.unlink(missing_ok=True)
            self._part.unlink(missing_ok=True)

    def _size(self) -> int:
        try:
            return self._part.stat().st_size
        except FileNotFoundError:
            return 0

    def _write_version(self, validator: str, total: int | None) -> None:
        write_atomic(self._version_path, msgspec.json.encode(_Version(validator, total)))

    def _read_version(self) -> _Version | None:
        try:
            return msgspec.json.decode(self._version_path.read_bytes(), type=_Version)
        except (OSError, msgspec.MsgspecError):
            return None


def _reason(error: Exception) -> str:
    """What an error says, without the system's number for it."""
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def _delete_old(folder: Path) -> None:
    limit = time.time() - KEEP_SECONDS
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if path.suffix in (".part", ".json", ".lock") and path.stat().st_mtime < limit:
                path.unlink()
