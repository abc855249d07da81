"""The part of ``doctor`` that runs on the worker's interpreter: library, networks, providers.

``python doctor_worker.py PROJECT CONFIG`` prints a JSON list of ``[subject, state, detail, todo]``.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import subprocess
import sys
from pathlib import Path

_INSTALL = "python3 -m installer install"
Fields = tuple[str, str, str, str]


def parse(text: str) -> list[Fields]:
    """The findings that this program printed."""
    rows: list[Fields] = [tuple(row) for row in json.loads(text.strip().splitlines()[-1])]
    return rows


def main(project: Path, config_path: Path) -> list[Fields]:
    """Every finding of the worker's side."""
    return [*_packages(), *_library(config_path), *_networks(project), *_devices()]


def _packages() -> list[Fields]:
    versions = {item.name: item.version for item in importlib.metadata.distributions()}
    have = [f"{name} {versions[name]}" for name in ("onnxruntime", "onnxruntime-gpu") if name in versions]
    if len(have) != 1:
        todo = f"remove .venv, then {_INSTALL}"
        return [
            (
                "worker's packages",
                "bad",
                f"{' and '.join(have) or 'no ONNX Runtime'}; exactly one is needed",
                todo,
            )
        ]
    return [("worker's Python", "ok", f"Python {platform.python_version()}, {have[0]}", "")]


def _library(config_path: Path) -> list[Fields]:
    from doppel_ipc.errors import IpcError
    from doppel_ipc.native import load
    from doppel_ipc.paths import InstallConfig

    try:
        library = InstallConfig.from_json(config_path.read_text(encoding="utf-8")).native_library
        load(str(library))
    except (IpcError, OSError) as error:
        return [("native library", "bad", str(error), _INSTALL)]
    return [("native library", "ok", str(library), "")]


def _networks(project: Path) -> list[Fields]:
    folder = project / "models" / "doppel_models" / "weights"
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    wrong = []
    for line in lines:
        digest, _, name = line.partition(" ")
        path = folder / name.strip().lstrip("*")
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            wrong.append(name.strip())
    if wrong:
        return [("networks", "bad", f"{', '.join(wrong)} missing or changed", "get the project again")]
    return [("networks", "ok", f"{len(lines)} files have their known hashes", "")]


def _devices() -> list[Fields]:
    """The providers and devices, as the worker itself sees them."""
    command = [sys.executable, "-P", "-m", "doppel_worker.findings"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return [("devices", "bad", reason, f"remove .venv, then {_INSTALL}")]
    return parse(done.stdout)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
