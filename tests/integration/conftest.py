"""The real OBS for tests. One running OBS is shared where a test leaves it as it was."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from doppel_ipc.paths import InstallConfig
from doppel_obs.rendering import RGB_ENV

from installer.display import VirtualDisplay
from installer.obs_config import ObsVersion
from installer.scene import Scene
from tests.integration.leftovers import bad_lines, shared_memory, wait_nothing_left
from tests.integration.own_faults import mended_obs
from tests.integration.rig import EMPTY_SCENE, PROJECT, REMOTE, SCRIPT, Rig, Setup
from tests.integration.stage import CLIP_FRAMES, Stage
from tests.support.coded_clip import coded_frames, write_coded_clip
from tests.support.demo_clip import demo_truth
from tests.support.judge import Judge

CLIP_SIZE = (640, 360)
StageKind = TypeVar("StageKind", bound=Stage)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.obs)


@pytest.fixture(scope="session", autouse=True)
def answers_in_place() -> Iterator[None]:
    """As with a graphics card, which these machines have not: the filter edits OBS's own frames.

    test_rgb_answers.py is about the other way.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RGB_ENV, "0")
        yield


@pytest.fixture(scope="session", autouse=True)
def obs_without_own_faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every OBS that a test starts, by whatever way: own_faults.py."""
    with pytest.MonkeyPatch.context() as patch:
        program = shutil.which("obs")
        if program is not None:
            version = ObsVersion.of_program(program)
            for name, value in mended_obs(version, tmp_path_factory.mktemp("mended")).items():
                patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """An X display of our own."""
    if shutil.which("obs") is None or shutil.which("Xvfb") is None:
        pytest.skip("needs the programs obs and Xvfb (apt-get install obs-studio xvfb)")
    with VirtualDisplay() as screen:
        yield screen.name


@pytest.fixture(scope="session")
def native_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gate, built from the sources as they are now."""
    return build_native(tmp_path_factory.mktemp("native"))


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


@pytest.fixture(scope="session")
def mark_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that starts the real worker process with the test backend."""
    return write_mark_python(tmp_path_factory.mktemp("python"))


@pytest.fixture
def mark_config(tmp_path: Path, native_library: Path, mark_python: Path) -> InstallConfig:
    """A configuration whose worker only paints over the picture."""
    return install_config(tmp_path, native_library, mark_python)


@pytest.fixture
def real_config(tmp_path: Path, native_library: Path) -> InstallConfig:
    """A configuration whose worker swaps faces."""
    return install_config(tmp_path, native_library, Path(sys.executable))


@pytest.fixture
def start_obs(tmp_path: Path, display: str) -> Iterator[Callable[[Setup], Rig]]:
    """Starts an OBS of the test's own; it is killed at the end of the test if it still runs."""
    numbers = itertools.count()
    with contextlib.ExitStack() as stack:
        yield lambda setup: stack.enter_context(Rig(tmp_path / f"obs{next(numbers)}", display, setup))


@pytest.fixture(scope="session")
def mark_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the shared OBS's logs, personas and settings lie."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="session")
def shared_obs(
    mark_folder: Path,
    display: str,
    native_library: Path,
    mark_python: Path,
    expected_warnings: set[str],
) -> Iterator[Rig]:
    """One OBS for every test that leaves it as it was; its worker paints over the picture.

    The script is loaded by the remote script, so that tests can reload and remove it. At the end OBS must
    exit as if Doppel had never been there.
    """
    config = install_config(mark_folder, native_library, mark_python)
    before = shared_memory()
    setup = Setup([], [Scene(EMPTY_SCENE, [])], scripts=(REMOTE,), config=config)
    with Rig(mark_folder / "obs", display, setup) as rig:
        rig.remote("load", SCRIPT)
        yield rig
        result = rig.stop()
    assert result.exit_code == 0
    assert result.memory_leaks == 0
    assert set(bad_lines(result.log)) <= expected_warnings
    wait_nothing_left(before)


@pytest.fixture(scope="session")
def expected_warnings() -> set[str]:
    """Lines of the shared OBS's log that tests have provoked."""
    return set()


@contextlib.contextmanager
def on_stage(stage: StageKind, expected_warnings: set[str]) -> Iterator[StageKind]:
    """Sets a stage up in the shared OBS and takes it down; OBS must live, with no line of ours unexpected."""
    rig = stage.rig
    mark = len(rig.session.log())
    with stage:
        yield stage
        if rig.alive():
            rig.put_back()
    assert rig.alive(), rig.session.log()[-3000:]
    bad = bad_lines(rig.session.log()[mark:])
    unexpected = [line for line in bad if not any(text in line for text in stage.expected_warnings)]
    if len(unexpected) < len(bad):
        expected_warnings.update(bad)
    assert unexpected == []


@pytest.fixture
def stage(shared_obs: Rig, clip: Path, expected_warnings: set[str]) -> Iterator[Stage]:
    """A camera with the filter in a scene of its own, and its way back to the empty scene."""
    with on_stage(Stage(shared_obs, clip), expected_warnings) as made:
        yield made


def build_native(folder: Path) -> Path:
    """Builds the native library into a folder; returns its path."""
    script = PROJECT / "shared" / "native" / "build.py"
    command = [sys.executable, str(script), "--out", str(folder)]
    done = subprocess.run(command, check=True, timeout=600, capture_output=True, text=True)
    # The last line is the library's path, two spaces, and its size.
    return Path(done.stdout.strip().splitlines()[-1].rpartition("  ")[0])


def write_mark_python(folder: Path) -> Path:
    """Writes a program that passes for an interpreter and starts the worker with the test backend."""
    wrapper = folder / "worker-python"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'export PYTHONPATH="$PYTHONPATH:{PROJECT}"\n'
        f'exec "{sys.executable}" "$@" --backend tests.integration.mark_backend:load\n',
        encoding="utf-8",
    )
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    return wrapper


def install_config(folder: Path, native_library: Path, python: Path) -> InstallConfig:
    """The configuration that the installer would write, with folders of the test's own."""
    return InstallConfig(
        project=PROJECT,
        python=python,
        native_library=native_library,
        log_dir=folder / "logs",
        persona_dir=folder / "personas",
    )
