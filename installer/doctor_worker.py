"""The part of ``doctor`` that runs on the worker's interpreter: library, networks, providers.

``python doctor_worker.py PROJECT CONFIG`` prints a JSON list of ``[subject, state, detail, todo]``.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
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
    return [*_packages(), *_library(config_path), *_networks(project), *_providers(project)]


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


def _providers(project: Path) -> list[Fields]:
    import onnxruntime

    network = project / "models" / "doppel_models" / "weights" / "face_detector.onnx"
    onnxruntime.set_default_logger_severity(4)
    if (
        hasattr(onnxruntime, "preload_dlls")
        and "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    ):
        onnxruntime.preload_dlls()
    findings: list[Fields] = []
    for name in onnxruntime.get_available_providers():
        if name not in ("CUDAExecutionProvider", "CPUExecutionProvider"):
            continue
        # A provider that is listed may still fall back in silence: only a built session tells.
        session = onnxruntime.InferenceSession(str(network), providers=[name])
        usable = name in session.get_providers()
        detail = "usable" if usable else "listed, but a session with it falls back to the CPU"
        todo = "" if usable else f"update the NVIDIA driver (580 or later), then {_INSTALL}"
        findings.append((f"provider {name}", "ok" if usable else "note", detail, todo))
    return findings


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
