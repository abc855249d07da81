"""Imports run one way, and what runs inside OBS needs nothing but Python 3.8's standard library."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
FOLDERS = {
    "doppel_ipc": PROJECT / "shared" / "doppel_ipc",
    "doppel_models": PROJECT / "models" / "doppel_models",
    "doppel_obs": PROJECT / "obs_plugin" / "doppel_obs",
    "doppel_worker": PROJECT / "obs_plugin" / "doppel_worker",
    "installer": PROJECT / "installer",
}
MAY_IMPORT = {
    "doppel_ipc": {"doppel_ipc"},
    "doppel_models": {"doppel_models"},
    "doppel_obs": {"doppel_obs", "doppel_ipc"},
    "doppel_worker": {"doppel_worker", "doppel_ipc", "doppel_models"},
    "installer": {"installer", "doppel_ipc"},
}
OURS = set(FOLDERS) | {"doppel_filter", "doppel_demo", "tests", "benchmarks"}
STANDARD_LIBRARY_ONLY = ("doppel_ipc", "doppel_obs", "installer")
# Programs that the installer runs with the worker's interpreter.
RUN_BY_THE_WORKERS_PYTHON = {"doctor_worker.py", "obs_remote.py", "recording.py"}
GRAMMAR = {"doppel_ipc": (3, 8), "doppel_obs": (3, 8), "installer": (3, 9)}
SCRIPT = PROJECT / "obs_plugin" / "doppel_filter.py"
# By OBS itself.
PROVIDED = {"obspython"}


def modules(package: str) -> list[Path]:
    return sorted(FOLDERS[package].rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Top-level names that a module imports anywhere, with their lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            assert node.module is not None
            yield node.module.partition(".")[0], node.lineno


def wrong_imports(path: Path, allowed: set[str], *, standard_library_only: bool) -> list[str]:
    found = []
    for name, line in imports(path):
        foreign = name not in OURS and name not in sys.stdlib_module_names and name not in PROVIDED
        if (name in OURS and name not in allowed) or (standard_library_only and foreign):
            found.append(f"{path.relative_to(PROJECT)}:{line}: {name}")
    return found


@pytest.mark.parametrize("package", FOLDERS)
def test_imports_run_one_way(package: str) -> None:
    assert len(modules(package)) > 2
    only = package in STANDARD_LIBRARY_ONLY
    wrong = [
        line
        for path in modules(package)
        for line in wrong_imports(
            path,
            MAY_IMPORT[package],
            standard_library_only=only and path.name not in RUN_BY_THE_WORKERS_PYTHON,
        )
    ]
    assert wrong == []


def test_the_script_imports_the_control_plane_alone() -> None:
    assert wrong_imports(SCRIPT, {"doppel_obs", "doppel_ipc"}, standard_library_only=True) == []


@pytest.mark.parametrize("package", GRAMMAR)
def test_the_grammar_is_old_enough(package: str) -> None:
    for path in [*modules(package), *([SCRIPT] if package == "doppel_obs" else [])]:
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=GRAMMAR[package])


def test_nothing_of_the_worker_is_loaded_with_the_shared_package() -> None:
    """Not even by a detour does doppel_ipc take in what OBS's interpreter does not have or need."""
    names = [f"doppel_ipc.{path.stem}" for path in modules("doppel_ipc") if path.stem != "__init__"]
    program = (
        f"import sys\nsys.path.insert(0, {str(PROJECT / 'shared')!r})\nimport {', '.join(names)}\n"
        "print(sorted(m for m in sys.modules if m in ('numpy', 'cv2', 'asyncio', 'multiprocessing')))"
    )
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout.strip()) == ("", "[]")


def test_no_import_name_is_generic() -> None:
    """All scripts of OBS share one interpreter."""
    for folder in ("obs_plugin", "shared", "models"):
        assert not (PROJECT / folder / "__init__.py").exists()
        names = {path.parent.name for path in (PROJECT / folder).glob("*/__init__.py")}
        assert all(name.startswith("doppel_") for name in names), names


def test_every_package_of_the_product_is_in_the_wheel() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    packed = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    for package in ("doppel_ipc", "doppel_models", "doppel_obs", "doppel_worker"):
        assert str(FOLDERS[package].relative_to(PROJECT)) in packed


def test_no_file_of_a_package_is_left_out_of_the_wheel() -> None:
    """Hatchling leaves out what git ignores: such a file must not be one that the packages need."""
    if not (PROJECT / ".git").exists():
        pytest.skip("no git checkout")
    folders = [str(path.relative_to(PROJECT)) for path in FOLDERS.values()]
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard", "--", *folders]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
