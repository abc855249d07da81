"""The real OBS for tests. One running OBS is shared where a test leaves it as it was."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from doppel_ipc.paths import InstallConfig

from installer.display import VirtualDisplay
from tests.integration import mark_backend
from tests.integration.rig import PROJECT, Rig, Setup
from tests.support.coded_clip import coded_frames, write_coded_clip
from tests.support.demo_clip import demo_truth
from tests.support.judge import Judge

CLIP_SIZE = (640, 360)
CLIP_FRAMES = 360


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.obs)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """An X display of our own."""
    if shutil.which("obs") is None or shutil.which("Xvfb") is None:
        pytest.skip("needs the programs obs and Xvfb (apt-get install obs-studio xvfb)")
    with VirtualDisplay() as screen:
        yield screen.name


@pytest.fixture(scope="session")
def native_library() -> Path:
    """The gate, built from the sources as they are now."""
    folder = PROJECT / ".doppel" / "native"
    script = PROJECT / "shared" / "native" / "build.py"
    subprocess.run([sys.executable, str(script), "--out", str(folder)], check=True, timeout=600)
    return folder / "libdoppel_gate.so"


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The coded clip: 12 s of the demo's face, every frame with its number, and sound."""
    path = tmp_path_factory.mktemp("clip") / "coded.mp4"
    write_coded_clip(path, *CLIP_SIZE, count=CLIP_FRAMES)
    return path


@pytest.fixture(scope="session")
def judge() -> Judge:
    """Knows the coded clip."""
    width, height = CLIP_SIZE
    return Judge(coded_frames(width, height, CLIP_FRAMES), demo_truth().scaled(width, height))


@pytest.fixture
def backend_orders(tmp_path: Path) -> Callable[..., None]:
    """Makes the test backend slow or stuck: ``orders(delay_ms=80)``."""

    def give(**orders: object) -> None:
        temporary = tmp_path / "orders.tmp"
        temporary.write_text(json.dumps(orders), encoding="utf-8")
        temporary.replace(tmp_path / "orders.json")

    give()
    return give


@pytest.fixture
def mark_config(tmp_path: Path, native_library: Path) -> InstallConfig:
    """A configuration whose worker uses the test backend, with the real worker process around it."""
    wrapper = tmp_path / "worker-python"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'export PYTHONPATH="$PYTHONPATH:{PROJECT}"\n'
        f'export {mark_backend.ORDERS}="{tmp_path}/orders.json"\n'
        f'exec "{sys.executable}" "$@" --backend tests.integration.mark_backend:load\n',
        encoding="utf-8",
    )
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    return install_config(tmp_path, native_library, wrapper)


@pytest.fixture
def real_config(tmp_path: Path, native_library: Path) -> InstallConfig:
    """A configuration whose worker swaps faces."""
    return install_config(tmp_path, native_library, Path(sys.executable))


@pytest.fixture
def start_obs(tmp_path: Path, display: str) -> Iterator[Callable[[Setup], Rig]]:
    """Starts an OBS of the test's own; it is killed at the end of the test if it still runs."""
    rigs: list[Rig] = []

    def start(setup: Setup) -> Rig:
        rig = Rig(tmp_path / f"obs{len(rigs)}", display, setup)
        rigs.append(rig)
        return rig.__enter__()

    yield start
    for rig in rigs:
        rig.__exit__(None, None, None)


def install_config(folder: Path, native_library: Path, python: Path) -> InstallConfig:
    """The configuration that the installer would write, with folders of the test's own."""
    return InstallConfig(
        project=PROJECT,
        python=python,
        native_library=native_library,
        log_dir=folder / "logs",
        persona_dir=folder / "personas",
    )
