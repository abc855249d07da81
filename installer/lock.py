"""The lock file ``requirements.lock``: exact versions and hashes of every package, in sections.

Its form is pip's requirements format. A line ``# section: NAME`` starts a section:

========  =====================================================================
common    what the worker needs everywhere
cpu, gpu  ONNX Runtime without and with CUDA; exactly one of the two is installed
build     what builds the project's own wheel, so that no unhashed package is used
native    ``ziglang``, the C compiler where the system has none
remote    ``obsws-python``, which ends the recording of a run without a screen
dev       tests and linters
========  =====================================================================

No index is named in it: packages come from wherever pip is set up to look, and the hashes decide.
``python3 -m installer lock`` (for developers; needs ``uv`` and Python 3.11) writes it anew.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from installer.errors import CommandError, InstallerError

LOCK_NAME = "requirements.lock"
SECTIONS = ("common", "cpu", "gpu", "build", "native", "remote", "dev")
OLDEST_PYTHON = "3.11"
_HEADER = "# Written by `python3 -m installer lock`; do not edit. See installer/lock.py.\n"
_SECTION = re.compile(r"^# section: (\w+)$")
_NAME = re.compile(r"^([A-Za-z0-9._-]+)==")


def read_sections(text: str) -> dict[str, list[str]]:
    """The lock file's requirements by section; each requirement keeps its hashes (several lines).

    Raises:
        InstallerError: the text is no lock file.
    """
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        found = _SECTION.match(line)
        if found:
            current = sections.setdefault(found[1], [])
        elif not line.strip() or line.lstrip().startswith("#"):
            continue
        elif current is None:
            raise InstallerError(
                "the lock file is damaged", f"a requirement outside a section: {line!r}", _RESTORE
            )
        elif line[0].isspace() and current:
            current[-1] += "\n" + line
        else:
            current.append(line)
    missing = set(SECTIONS) - set(sections)
    if missing:
        raise InstallerError("the lock file is damaged", f"no section {', '.join(sorted(missing))}", _RESTORE)
    return sections


def merged_requirements(text: str, wanted: Iterable[str]) -> str:
    """The text for ``pip install --require-hashes -r``: the wanted sections, each requirement once.

    Raises:
        InstallerError: the text is no lock file.
    """
    sections = read_sections(text)
    seen: dict[str, None] = {}
    for name in wanted:
        for requirement in sections[name]:
            seen.setdefault(requirement)
    return "\n".join(seen) + "\n"


def package_name(requirement: str) -> str:
    """The name a requirement of the lock file starts with, in its normal form."""
    found = _NAME.match(requirement)
    if not found:
        raise InstallerError(
            "the lock file is damaged", f"not a pinned requirement: {requirement!r}", _RESTORE
        )
    return re.sub(r"[-_.]+", "-", found[1]).lower()


def write_lock(project: Path, uv: str = "uv") -> Path:
    """Resolves ``pyproject.toml`` anew for all platforms and writes the lock file.

    Raises:
        CommandError: ``uv`` is missing or cannot resolve.
    """
    import tomllib  # Python 3.11; only developers come here

    data = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    extras = data["project"]["optional-dependencies"]
    wanted = {
        "common": data["project"]["dependencies"],
        "cpu": extras["cpu"],
        "gpu": extras["gpu"],
        "build": [*data["build-system"]["requires"], "editables"],
        "native": [item for item in extras["dev"] if item.startswith("ziglang")],
        "remote": [item for item in extras["dev"] if item.startswith("obsws-python")],
        "dev": [item for item in extras["dev"] if not item.startswith("ziglang")],
    }
    pinned: list[str] = []
    parts = [_HEADER]
    common: set[str] = set()
    for section in SECTIONS:
        resolved = _resolve(uv, wanted[section], pinned)
        fresh = [item for item in resolved if item not in common]
        common |= set(resolved) if section == "common" else set()
        pinned += [item for item in resolved if item not in pinned]
        parts.append(f"# section: {section}\n" + "\n".join(fresh) + "\n")
    path = project / LOCK_NAME
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def _resolve(uv: str, requirements: list[str], pinned: list[str]) -> list[str]:
    """Exact requirements with hashes, in agreement with those already pinned."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "wanted.in")
        wanted.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        constraints = Path(folder, "pinned.txt")
        constraints.write_text("\n".join(pinned) + "\n", encoding="utf-8")
        command = [uv, "pip", "compile", "--universal", "--generate-hashes", "--no-emit-index-url", "--quiet"]
        command += ["--no-header", "--no-annotate", "--python-version", OLDEST_PYTHON]
        command += ["--constraints", str(constraints), str(wanted)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise CommandError("uv cannot be run", str(error), "pip install uv") from error
    if done.returncode:
        raise CommandError("the packages cannot be resolved", done.stderr.strip(), "correct pyproject.toml")
    text = "# section: resolved\n" + done.stdout
    lines: list[str] = []
    for line in text.splitlines()[1:]:
        if line.strip() and not line.lstrip().startswith("#"):
            if line[0].isspace() and lines:
                lines[-1] += "\n" + line
            else:
                lines.append(line)
    return lines


_RESTORE = f"restore {LOCK_NAME} from the project's repository"
