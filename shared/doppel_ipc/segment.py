"""Shared memory for one lane: made inside OBS, opened by the worker, left behind by nobody.

Who owns what:

* :func:`create` makes the memory, **allocated in full**, so that no later write can fail (a write into a
  hole of a full tmpfs ends the process with SIGBUS). The creator keeps one handle; the gate makes its own
  mapping of it (``doppel_gate_attach``).
* :class:`SegmentDescriptor` is what travels in the ``open_lane`` message.
* :func:`open_memory` gives the worker a mapping and closes every handle it used.
* The creator calls :meth:`Segment.close` once the worker has said ``lane_opened`` (or failed): from then on
  only the two mappings keep the memory alive, and it goes away with them, even after a crash.

Kinds, chosen by :func:`default_kind`:

``memfd``
    Linux: anonymous memory, sealed so that neither side can shrink or grow it. The worker, a child process of
    the same user, reaches it as ``/proc/<pid>/fd/<n>``.
``file``
    macOS, and Linux where the worker cannot look into OBS's ``/proc`` entry (Flatpak): a file of mode 0600
    with a random name. It is unlinked by ``close``; a file that a crash left is removed by the next
    :func:`create`, which knows by its lock that the creator is gone. Nothing but the trust in our own worker
    keeps it from being truncated.
``tag``
    Windows: a file mapping backed by the paging file, reached by a random name. It has no file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import mmap
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Iterator

from doppel_ipc import segment_windows
from doppel_ipc.errors import SegmentError

MEMFD, FILE, TAG = "memfd", "file", "tag"
KINDS = (MEMFD, FILE, TAG)

MAX_BYTES = 16 << 30
"""More than twelve slots of the largest frame that any camera sends; a larger number is a mistake."""

# <linux/fcntl.h>; Python's fcntl has them from 3.9 on.
_F_ADD_SEALS, _F_GET_SEALS = 1033, 1034
_F_SEAL_SEAL, _F_SEAL_SHRINK, _F_SEAL_GROW = 1, 2, 4
_SEALS = _F_SEAL_SEAL | _F_SEAL_SHRINK | _F_SEAL_GROW

_FILE_PREFIX, _FILE_SUFFIX = "doppel-", ".segment"
_ZEROS = bytes(1 << 20)


@dataclasses.dataclass(frozen=True)
class SegmentDescriptor:
    """How the other process finds a segment."""

    kind: str
    """One of :data:`KINDS`."""
    name: str
    """``memfd`` and ``file``: an absolute path; ``tag``: the mapping's name."""
    bytes: int
    """Size, a whole number of pages."""
    inode: int = 0
    """``memfd``: of this very memory, for the number in the name may be another segment's by the time it is
    opened. 0: any."""


class Segment:
    """The creator's handle of a segment. Use :func:`create`.

    Attributes:
        descriptor: what the worker needs.
        handle: for ``doppel_gate_attach``: the file descriptor (POSIX) or the mapping's handle (Windows).
    """

    def __init__(self, descriptor: SegmentDescriptor, handle: int, path: Path | None = None) -> None:
        self.descriptor = descriptor
        self.handle = handle
        self._path = path
        self._open = True

    def close(self) -> None:
        """Gives up the handle and removes the name. Mappings stay. May be called again."""
        if not self._open:
            return
        self._open = False
        if self._path is not None:
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()
        if self.descriptor.kind == TAG:
            segment_windows.close(self.handle)
        else:
            os.close(self.handle)

    def __enter__(self) -> Segment:  # noqa: PYI034 - no typing.Self before 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def default_kind(platform: str = sys.platform, flatpak_info: str = "/.flatpak-info") -> str:
    """The kind that suits this process."""
    if platform == "win32":
        return TAG
    if not platform.startswith("linux") or not hasattr(os, "memfd_create"):
        return FILE
    if Path(flatpak_info).exists():
        return FILE  # the worker runs outside the sandbox and has other process numbers
    try:
        # /proc/<pid> belongs to root when the process may not be inspected (proc(5), "dumpable").
        if Path("/proc/self/fd").stat().st_uid != os.geteuid():
            return FILE
    except OSError:
        return FILE  # no /proc
    return MEMFD


def create(size: int, kind: str | None = None, folder: Path | None = None) -> Segment:
    """Makes zeroed shared memory of ``size`` bytes, allocated in full.

    Args:
        size: bytes, a whole number of pages (``native.segment_bytes`` gives such a number).
        kind: one of :data:`KINDS`; None: :func:`default_kind`.
        folder: where a ``file`` segment lies; None: :func:`default_folder`.

    Raises:
        SegmentError: not enough memory, or the system refuses; nothing is left behind.
    """
    if not (0 < size <= MAX_BYTES and size % mmap.PAGESIZE == 0):
        raise SegmentError(f"a segment of {size} bytes cannot be made: expected whole pages, 1..{MAX_BYTES}")
    kind = default_kind() if kind is None else kind
    if kind == MEMFD:
        return _create_memfd(size)
    if kind == FILE:
        return _create_file(size, default_folder() if folder is None else folder)
    if kind == TAG:
        name, handle = segment_windows.create(size)
        return Segment(SegmentDescriptor(TAG, name, size), handle)
    raise SegmentError(f"segment kind {kind!r} is not one of {', '.join(KINDS)}")


def open_memory(descriptor: SegmentDescriptor) -> mmap.mmap:
    """Maps a segment that the other process made. The caller closes the mapping.

    Raises:
        SegmentError: it is gone, of another size, or not protected against shrinking (``memfd``).
    """
    if descriptor.kind == TAG:
        return segment_windows.open_memory(descriptor.name, descriptor.bytes)
    if descriptor.kind not in KINDS:
        raise SegmentError(f"segment kind {descriptor.kind!r} is not one of {', '.join(KINDS)}")
    try:
        fd = os.open(descriptor.name, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise SegmentError(f"the segment {descriptor.name} cannot be opened: {error.strerror}") from error
    try:
        found = os.fstat(fd)
        have = found.st_size
        if descriptor.inode not in (0, found.st_ino):
            raise SegmentError(f"the segment {descriptor.name} is gone; another one has its number by now")
        if have != descriptor.bytes:
            raise SegmentError(f"the segment {descriptor.name} has {have} bytes != {descriptor.bytes}")
        if descriptor.kind == MEMFD:
            _check_seals(fd, descriptor.name)
        return mmap.mmap(fd, descriptor.bytes)
    except (OSError, ValueError) as error:
        raise SegmentError(f"the segment {descriptor.name} cannot be mapped: {error}") from error
    finally:
        os.close(fd)


def default_folder(platform: str = sys.platform) -> Path:
    """Where ``file`` segments lie: a folder that both processes see, in memory if possible."""
    if platform.startswith("linux"):
        runtime, app = os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("FLATPAK_ID")
        if app:
            # Seen under the same path on both sides of a Flatpak sandbox.
            shared = Path(runtime or "/run/user/0") / "app" / app
            cache = os.environ.get("XDG_CACHE_HOME")
            return shared if shared.is_dir() or not cache else Path(cache)
        if runtime and Path(runtime).is_dir():
            return Path(runtime)
        memory = Path("/dev/shm")  # noqa: S108 - the file is made with O_EXCL and mode 0600
        if memory.is_dir():
            return memory
    return Path(tempfile.gettempdir())


def _create_memfd(size: int) -> Segment:
    import fcntl

    try:
        fd = os.memfd_create("doppel", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError as error:
        raise SegmentError(f"no shared memory: {error.strerror}") from error
    with _closing_on_error(fd):
        _allocate(fd, size, "shared memory")
        fcntl.fcntl(fd, _F_ADD_SEALS, _SEALS)
    name = f"/proc/{os.getpid()}/fd/{fd}"
    return Segment(SegmentDescriptor(MEMFD, name, size, os.fstat(fd).st_ino), fd)


def _check_seals(fd: int, name: str) -> None:
    import fcntl

    if fcntl.fcntl(fd, _F_GET_SEALS) & _SEALS != _SEALS:
        raise SegmentError(f"the segment {name} is not sealed against shrinking and growing")


def _create_file(size: int, folder: Path) -> Segment:
    import fcntl

    _sweep(folder)
    path = folder / f"{_FILE_PREFIX}{secrets.token_hex(16)}{_FILE_SUFFIX}"
    try:
        fd = os.open(str(path), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SegmentError(f"no shared memory: {path}: {error.strerror}") from error
    try:
        with _closing_on_error(fd):
            fcntl.flock(fd, fcntl.LOCK_EX)  # held by a sweeper at most, for a moment
            _allocate(fd, size, str(folder))
    except BaseException:  # whatever it is, no file may stay behind; it is raised again
        path.unlink()
        raise
    return Segment(SegmentDescriptor(FILE, str(path), size), fd, path)


def _sweep(folder: Path) -> None:
    """Removes the files that crashed creators left: those that nobody holds locked."""
    import fcntl

    for path in folder.glob(f"{_FILE_PREFIX}*{_FILE_SUFFIX}"):
        try:
            fd = os.open(str(path), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # gone meanwhile, or another user's
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A creator that has not locked its new file yet has not allocated it either.
            if os.fstat(fd).st_size:
                path.unlink()
        except OSError:
            continue  # alive, or gone meanwhile
        finally:
            os.close(fd)


def _allocate(fd: int, size: int, place: str) -> None:
    """Backs every byte with memory (tmpfs and disks alike), or raises SegmentError."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, 0, size)
        else:  # macOS has no posix_fallocate; written zeros are allocated too
            for start in range(0, size, len(_ZEROS)):
                os.pwrite(fd, _ZEROS[: size - start], start)
    except OSError as error:
        advice = "free some memory or choose a smaller resolution"
        if error.errno in (errno.ENOSPC, errno.ENOMEM, errno.EFBIG, errno.EDQUOT):
            raise SegmentError(f"{place} has no room for {size >> 20} MiB; {advice}") from error
        raise SegmentError(f"{size >> 20} MiB in {place} cannot be allocated: {error.strerror}") from error


@contextlib.contextmanager
def _closing_on_error(fd: int) -> Iterator[None]:
    try:
        yield
    except BaseException:  # whatever it is, the descriptor must not leak; it is raised again
        os.close(fd)
        raise
