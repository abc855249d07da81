"""A real OBS for tests: started with a scene collection and the script, driven by obs-websocket."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import obsws_python
import psutil
from doppel_ipc import paths

from installer.obs_config import NAME, ObsOptions
from installer.obs_launch import WINDOW_TITLE, ObsSession, free_port
from installer.obs_remote import when_ready
from installer.obs_result import ObsResult
from installer.scene import FILTER_ID, FILTER_NAME, Filter, Scene, Source, scene_collection
from installer.x11 import close_window
from tests.integration.figures import CAMERA, Figures
from tests.integration.output import Output
from tests.integration.waiting import wait_for

PROJECT = Path(__file__).resolve().parents[2]
SCRIPT = PROJECT / "obs_plugin" / "doppel_filter.py"
SCRIPTS = Path(__file__).resolve().parent / "obs_scripts"
REMOTE = SCRIPTS / "doppel_test_remote.py"
CANVAS = (640, 360)
SCENE, EMPTY_SCENE = "Main", "Empty"
MOST_WORKERS = 2
"""One serves, one waits."""
_OURS = re.compile(r"\[doppel\]|doppel_|Traceback", re.IGNORECASE)


def face_swap(name: str = FILTER_NAME, **settings: object) -> Filter:
    """A Face Swap filter for a scene collection."""
    return Filter(name, FILTER_ID, settings)


@dataclasses.dataclass(frozen=True)
class Setup:
    """What one OBS starts with."""

    sources: Sequence[Source]
    scenes: Sequence[Scene]
    scripts: Sequence[Path] = (SCRIPT,)
    config: paths.InstallConfig | None = None
    environ: Mapping[str, str] = dataclasses.field(default_factory=dict)
    canvas: tuple[int, int] = CANVAS
    collection: dict[str, object] | None = None
    """A scene collection that OBS saved, instead of ``sources``, ``scenes`` and ``scripts``."""
    language: str = "en-US"
    record: bool = False
    """Record from OBS's start on."""
    replay_seconds: int = 0
    """Length of the replay buffer; 0: there is none."""


class Rig(Figures, Output):
    """One running OBS. A context manager; leaving it kills an OBS that was not stopped."""

    def __init__(self, folder: Path, display: str, setup: Setup) -> None:
        self.folder = folder
        self._display = display
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder / "stats.json")
        # Unix sockets have short names only.
        self._socket_dir = tempfile.mkdtemp(prefix="doppel-")
        self._socket_path = str(Path(self._socket_dir) / "remote")
        environ = {
            paths.STATS_ENV: str(self.stats_path),
            "DOPPEL_TEST_SOCKET": self._socket_path,
            **setup.environ,
        }
        if setup.config is not None:
            config_path = folder / "doppel.json"
            config_path.write_text(setup.config.to_json(), encoding="utf-8")
            environ[paths.CONFIG_ENV] = str(config_path)
        options = ObsOptions(
            canvas=setup.canvas,
            recording_dir=folder / "recordings",
            websocket_port=free_port(),
            replay_seconds=setup.replay_seconds,
            language=setup.language,
        )
        collection = setup.collection or scene_collection(
            setup.sources, setup.scenes, setup.canvas, setup.scripts
        )
        self.session = ObsSession(
            folder, collection, options, display=display, environ=environ, start_recording=setup.record
        )
        self._client: obsws_python.ReqClient | None = None

    def __enter__(self) -> Self:
        self.session.start()
        self.session.wait_ready()
        port = self.session.options.websocket_port
        self._client = obsws_python.ReqClient(host="127.0.0.1", port=port, password="", timeout=60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._disconnect()
        self.session.kill()
        shutil.rmtree(self._socket_dir, ignore_errors=True)

    # -- OBS

    @property
    def pid(self) -> int:
        return self.session.running().pid

    def request(self, name: str, **data: object) -> dict[str, Any]:
        """One obs-websocket request; raises obsws_python's error where OBS refuses it."""
        client = self._client
        assert client is not None
        answer: dict[str, Any] | None = when_ready(lambda: client.send(name, data or None, raw=True))
        return answer or {}

    def alive(self) -> bool:
        return self.session.running().poll() is None

    def stop(self) -> ObsResult:
        """Ends OBS as a user does: closes its window."""
        self._disconnect()
        if self.alive():
            self.session.wait_idle()
            wait_for(lambda: close_window(self._display, self.pid, WINDOW_TITLE), 20, "OBS shows no window")
            wait_for(
                lambda: not self.alive(), 30, f"OBS does not end; its log:\n{self.session.log()[-2000:]}"
            )
        return self.session.result()

    def _disconnect(self) -> None:
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.disconnect()
            self._client = None

    # -- The script and its filters

    def remote(self, operation: str, *arguments: object) -> Any:
        """What no websocket request can do, on OBS's UI thread; the remote script lists it all."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(self._socket_path)
            with connection.makefile("rw") as stream:
                request = {"operation": operation, "arguments": [str(item) for item in arguments]}
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                answer = json.loads(stream.readline())
        if "error" in answer:
            raise AssertionError(f"{operation} {arguments}: {answer['error']}")
        return answer.get("result")

    def put_back(self) -> None:
        """The script is loaded and there is no panic, as before a test that broke off."""
        if not self._status()["running"]:
            with contextlib.suppress(AssertionError):  # it is loaded, and does not run yet
                self.remote("load", SCRIPT)
            wait_for(lambda: self._status()["running"], 20, "the script does not run")
        if self._status_from_now()["panic"]:
            self.request("TriggerHotkeyByName", hotkeyName="doppel_panic")

    def _status_from_now(self) -> dict[str, Any]:
        """A status that was told after this call; the last one may still speak of a panic that is over."""
        begin = time.monotonic()

        def told_since() -> dict[str, Any]:
            passed_ms = 1e3 * (time.monotonic() - begin)
            found = self._status()
            return found if found["age_ms"] < passed_ms else {}

        return wait_for(told_since, 20, "the status does not go on")

    def _status(self) -> dict[str, Any]:
        answer = self.request("CallVendorRequest", vendorName="doppel", requestType="GetStatus")
        found: dict[str, Any] = answer["responseData"]
        return found

    def add_filter(
        self, source: str = CAMERA, name: str = FILTER_NAME, kind: str = FILTER_ID, **settings: object
    ) -> None:
        self.request(
            "CreateSourceFilter",
            sourceName=source,
            filterName=name,
            filterKind=kind,
            filterSettings=settings,
        )

    def remove_filter(self, source: str = CAMERA, name: str = FILTER_NAME) -> None:
        self.request("RemoveSourceFilter", sourceName=source, filterName=name)

    def set_filter(self, source: str = CAMERA, name: str = FILTER_NAME, **settings: object) -> None:
        self.request(
            "SetSourceFilterSettings",
            sourceName=source,
            filterName=name,
            filterSettings=settings,
            overlay=True,
        )

    def worker(self) -> psutil.Process:
        """The worker that serves, once there is one; not the one in waiting."""

        def find() -> psutil.Process | None:
            pid = self.stats().get("worker", {}).get("pid")
            return next((process for process in self.workers() if process.pid == pid), None)

        found: psutil.Process = wait_for(find, 20, "no worker serves")
        return found

    def workers(self) -> list[psutil.Process]:
        """The worker's processes: OBS's children but for those of the recording."""
        found = []
        for child in psutil.Process(self.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if "doppel_worker" in child.cmdline():
                    found.append(child)
        return found

    def wait_few_workers(self) -> None:
        """Returns when there are at most two workers: one serves, one waits. One that is replaced is ended
        first, and gone a moment later."""
        wait_for(lambda: len(self.workers()) <= MOST_WORKERS, 10, "there are more workers than two")

    def saved(self) -> dict[str, Any]:
        """The scene collection as OBS has saved it; empty where it has not, or is writing it just now."""
        path = self.session.config_home / "obs-studio" / "basic" / "scenes" / f"{NAME}.json"
        try:
            loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return loaded

    def saved_source(self, name: str) -> dict[str, Any]:
        """One source of :meth:`saved`; empty where it is not there."""
        found = (item for item in self.saved().get("sources", []) if item["name"] == name)
        return next(found, {})

    def our_log(self) -> str:
        """The lines of OBS's log that are about Doppel."""
        return "\n".join(line for line in self.session.log().splitlines() if _OURS.search(line))
