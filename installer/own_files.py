"""What is the user's own and not Doppel's: in the data folder, and in the project's folder."""

from __future__ import annotations

import sys
from pathlib import Path

from installer.progress import Progress

DELETE = "python3 -m installer uninstall --delete-personas"
PARTS = frozenset(
    {
        "CHANGELOG.md",
        "LICENSE",
        "NOTICE",
        "README.md",
        "benchmarks",
        "docs",
        "installer",
        "models",
        "obs_plugin",
        "pyproject.toml",
        "requirements.lock",
        "shared",
        "tests",
    }
)
"""The project's own in its folder; what begins with a dot is not looked at."""
_MADE_AGAIN = frozenset({"__pycache__", "build", "dist"})
"""Nobody misses these."""


def own_data(data: Path) -> list[str]:
    """The user's own in the data folder, in words; empty: there is nothing.

    Args:
        data: the user's data folder; it need not exist.
    """
    faces = sorted(path.name for path in data.glob("personas/*") if path.is_dir())
    models = len(list(data.glob("models/*.onnx")))
    looks = len(list(data.glob("looks/*.json")))
    own = [f"faces ({', '.join(faces)})"] if faces else []
    own += [f"models ({models} of them)"] if models else []
    own += [f"saved looks ({looks} of them)"] if looks else []
    return own


def asked_to_keep(data: Path, progress: Progress) -> bool:
    """Asks at the terminal whether the user's own faces, models and looks stay.

    Args:
        data: the user's data folder; it need not exist.
        progress: told that they stay, where nobody can be asked.

    Returns:
        True: they stay, as the user said or because nobody could be asked. False: the user said that they go,
        or there are none.
    """
    own = own_data(data)
    if not own:
        return False
    if not sys.stdin.isatty():
        progress.say("nobody can be asked here whether your own faces and models go, too: they stay")
        return True
    try:
        answer = input(f"Delete your own {' and '.join(own)}, too? [y/N] ")
    except EOFError:
        return True
    return answer.strip().lower() not in ("y", "yes")


def own_in_project(project: Path) -> list[str]:
    """What lies in the project's folder and is not its own: recordings, diagnostics, videos of the user's.

    Empty folders are left out.
    """
    found = []
    for path in sorted(project.iterdir()):
        if path.name in PARTS | _MADE_AGAIN or path.name.startswith("."):
            continue
        if not path.is_dir() or any(path.iterdir()):
            found.append(f"{path.name}/" if path.is_dir() else path.name)
    return found
