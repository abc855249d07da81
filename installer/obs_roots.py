"""Other versions of OBS for the tests: each in a Debian of its own, a folder made by debootstrap.

A root folder lies in the user's cache folder, never in the project. Commands run in it by ``chroot``, in
namespaces of their own for mounts and processes: nothing stays mounted and no process is left when the
command ends, however it ends. The project is seen there as ``/srv/doppel``, with a ``.venv`` and a
``.doppel`` of the root's own, so it is what it would be on a user's machine with that Debian.

Making one needs root's rights and 3 GB of disk. An interrupted one is made anew from the packages that were
fetched already.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from installer.errors import CommandError, InstallerError
from installer.exclusive import exclusive
from installer.layout import MADE, PROJECT, user_cache_dir
from installer.progress import Progress
from installer.system import PackageManager, ends_with_parent, run_command

MAKER_PACKAGES = ("debootstrap", "debian-archive-keyring")
NEEDED_BYTES = 3_000_000_000
"""Of a root with OBS, the worker's environment and the recordings of a run."""
OWN_FOLDER = "var/lib/doppel"
"""In a root: its ``venv`` and ``made``, which lie over the project's."""
INSIDE = "/srv/doppel"
"""The project as a root sees it."""
_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "--")
_SHARED_FILES = ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf")
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_PASSED_ON = ("http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_RETRIES")
_ENTER = f"""
set -eu
root=$1 project=$2 certificates=$3
shift 3
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount --bind "$project" "$root{INSIDE}"
mount --bind "$root/{OWN_FOLDER}/venv" "$root{INSIDE}/.venv"
mount --bind "$root/{OWN_FOLDER}/made" "$root{INSIDE}/.doppel"
for file in {" ".join(_SHARED_FILES)}; do
    if [ -f "$file" ]; then
        [ -e "$root$file" ] || : > "$root$file"
        mount --bind "$file" "$root$file"
    fi
done
[ -z "$certificates" ] || mount --bind "$certificates" "$root/{OWN_FOLDER}/certificates.pem"
code=0
chroot "$root" "$@" || code=$?
exit "$code"
"""
"""The shell stays as the namespace's first process, which has to collect the orphans."""


@dataclasses.dataclass(frozen=True)
class ObsRoot:
    """A version of OBS that Doppel is tested with, and the Debian that has it."""

    major: int
    """Of OBS."""
    suite: str
    """Debian's name of the distribution."""

    @property
    def folder(self) -> Path:
        """The root folder; it need not exist."""
        return user_cache_dir() / "obs-roots" / self.suite

    @property
    def made(self) -> Path:
        """What the project's ``.doppel`` is in this root."""
        return self.folder / OWN_FOLDER / "made"

    def prepare(self, progress: Progress) -> None:
        """Makes the root folder where it is not there.

        Raises:
            InstallerError: this user or machine cannot make or enter one; nothing is changed then.
            CommandError: debootstrap fails.
        """
        require_roots(progress)
        if not self.folder.is_dir():
            _require_space(self.folder)
            with progress.step("root", f"Debian {self.suite} in {self.folder}"):
                self._make(progress)
        for name in ("venv", "made"):
            (self.folder / OWN_FOLDER / name).mkdir(parents=True, exist_ok=True)
        (self.folder / OWN_FOLDER / "certificates.pem").touch()
        (self.folder / INSIDE.lstrip("/")).mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One command at a time in one root."""
        with exclusive(self.folder):
            yield

    def command(self, command: Sequence[str]) -> list[str]:
        """The command that runs another one in the root, in the project's folder; see the module's text."""
        for folder in (PROJECT / ".venv", MADE):
            folder.mkdir(exist_ok=True)  # something for the root's own to lie over
        certificates = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE") or _CERTIFICATES
        bundle = certificates if Path(certificates).is_file() else ""
        environ = {
            "HOME": "/root",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            **{name: os.environ[name] for name in _PASSED_ON if os.environ.get(name)},
        }
        if bundle:
            environ.update(dict.fromkeys(("PIP_CERT", "SSL_CERT_FILE"), f"/{OWN_FOLDER}/certificates.pem"))
        entered = ["/usr/bin/env", "-i", "-C", INSIDE, *(f"{key}={value}" for key, value in environ.items())]
        shell = ["sh", "-c", _ENTER, "enter", str(self.folder), str(PROJECT), bundle]
        return ends_with_parent([*_NAMESPACES, *shell, *entered, *command], "KILL")

    def _make(self, progress: Progress) -> None:
        """Makes it beside its place and moves it there when it is whole."""
        making = self.folder.with_name(f"{self.suite}-making")
        shutil.rmtree(making, ignore_errors=True)
        packages = self.folder.with_name(f"{self.suite}-packages")
        packages.mkdir(parents=True, exist_ok=True)
        options = ["--variant=minbase", "--include=python3,ca-certificates", f"--cache-dir={packages}"]
        mirror = [address] if (address := debian_mirror()) else []
        # In namespaces, too: killed, debootstrap would leave /proc mounted in the folder.
        command = [*_NAMESPACES, "debootstrap", *options, self.suite, str(making), *mirror]
        _run_told(command, f"Debian {self.suite} cannot be made", progress)
        making.rename(self.folder)
        shutil.rmtree(packages, ignore_errors=True)


ROOTS = (ObsRoot(29, "bookworm"), ObsRoot(30, "trixie"), ObsRoot(32, "sid"))
"""Every version that the whole integration suite is run on."""


def require_roots(progress: Progress) -> None:
    """Sees that root folders can be made and entered here; installs debootstrap where that is allowed.

    Raises:
        InstallerError: they cannot; the error says why.
    """
    what = "another version of OBS cannot be tested here"
    if sys.platform != "linux":
        raise InstallerError(what, "it runs in a Debian of its own, by Linux's chroot", "use a Linux machine")
    if os.geteuid() != 0:
        raise InstallerError(
            what,
            "a root folder is made by debootstrap and entered by chroot, and both need root's rights",
            "run the same command as root (sudo), or test on a machine that has this OBS",
        )
    if shutil.which("debootstrap") is None:
        manager = PackageManager.find()
        if manager is None:
            todo = "install debootstrap (and Debian's archive keyring) with your system's package manager"
            raise InstallerError(what, "there is no debootstrap, and no apt to install it", todo)
        manager.install(MAKER_PACKAGES, progress)
    todo = "run it where mounting is allowed: on the machine itself, or in a privileged container"
    run_command([*_NAMESPACES, "true"], what, todo, timeout=60)


def debian_mirror() -> str | None:
    """Where this machine fetches Debian from; None where it is no Debian: debootstrap knows one itself."""
    if shutil.which("apt-get") is None:
        return None
    # `indextargets` tells what apt is set up to use, in whatever form its files have.
    fields = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)"]
    done = subprocess.run(fields, capture_output=True, text=True, timeout=60, check=False)
    for line in done.stdout.splitlines():
        origin, _, rest = line.partition(" ")
        label, _, address = rest.rpartition(" ")
        if (origin, label) == ("Debian", "Debian") and address.startswith(("http://", "https://", "file:")):
            return address
    return None


def _require_space(folder: Path) -> None:
    parent = next(path for path in folder.parents if path.is_dir())
    free = shutil.disk_usage(parent).free
    if free < NEEDED_BYTES:
        raise InstallerError(
            f"there is no room for {folder}",
            f"{NEEDED_BYTES / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free",
            "make room, or set XDG_CACHE_HOME to a folder on another disk",
        )


def _run_told(command: Sequence[str], what: str, progress: Progress) -> None:
    """Runs debootstrap and says each phase that it comes to."""
    tail: list[str] = []
    phases: set[str] = set()
    with subprocess.Popen(
        ends_with_parent(command, "KILL"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace",
    ) as process:  # fmt: skip
        try:
            for line in process.stdout or ():
                tail = [*tail[-11:], line.rstrip()]
                words = line.split()
                if len(words) > 1 and words[0] == "I:" and words[1] not in phases:
                    phases.add(words[1])
                    progress.say(f"debootstrap: {line.strip()[3:]}")
        except BaseException:  # also Ctrl-C: debootstrap must not go on alone; it is raised again
            process.kill()
            raise
    if process.returncode:
        todo = "see that the network is up, then run the same command again; it goes on where it stopped"
        raise CommandError(what, "\n".join(tail), todo)
