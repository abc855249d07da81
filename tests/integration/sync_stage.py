"""A source that is drawn, not sent, with the filter "Face Swap (other sources)" on the shared OBS."""

from __future__ import annotations

import base64
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from doppel_models.types import ByteArray

from installer.scene import FILTER_NAME, SYNC_FILTER_ID
from tests.integration.rig import CANVAS, EMPTY_SCENE, wait_for
from tests.integration.stage import Stage


class SyncStage(Stage):
    """The coded clip in a scene, the filter on that scene, and another scene that shows it.

    ``scene`` is the filtered one, ``outer`` the one that shows it, ``twice`` shows it two times.
    """

    def __enter__(self) -> Self:
        rig = self.rig
        self.outer, self.twice = f"{self.scene} shown", f"{self.scene} shown twice"
        rig.request("SetCurrentProgramScene", sceneName=EMPTY_SCENE)
        self._scenes: list[str] = []
        rig.request("CreateScene", sceneName=self.scene)
        for name in (self.outer, self.twice):
            self.make_scene(name)
        self._item = self.add_camera(self.camera)
        for name in (self.outer, self.twice, self.twice):
            self.show_in(name, self.scene)
        rig.add_filter(self.scene, kind=SYNC_FILTER_ID)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.rig.alive():
            self.rig.request("SetCurrentProgramScene", sceneName=EMPTY_SCENE)
            for name in reversed(self._scenes):
                self.rig.request("RemoveScene", sceneName=name)
        super().__exit__(kind, error, trace)

    def make_scene(self, name: str) -> None:
        """An empty scene, which goes with the stage."""
        self.rig.request("CreateScene", sceneName=name)
        self._scenes.append(name)

    def show_in(self, scene: str, source: str) -> None:
        """Puts a source into a scene, filling the canvas."""
        item = self.rig.request("CreateSceneItem", sceneName=scene, sourceName=source)["sceneItemId"]
        fill = {
            "boundsType": "OBS_BOUNDS_STRETCH",
            "boundsWidth": float(CANVAS[0]),
            "boundsHeight": float(CANVAS[1]),
        }
        self.rig.request("SetSceneItemTransform", sceneName=scene, sceneItemId=item, sceneItemTransform=fill)

    def show(self, *, swapping: bool = True) -> None:
        self.rig.request("SetCurrentProgramScene", sceneName=self.outer)
        if swapping:
            self.wait_swapping()

    def lane(self, name: str = FILTER_NAME) -> dict[str, Any]:
        return self.rig.lane(self.scene, name)

    def wait_swapping(self, timeout: float = 30) -> None:
        self.rig.wait_swapping(self.scene, timeout=timeout)

    def more_frames(self, count: int, outcome: str = "swapped") -> None:
        self.rig.more_frames(count, outcome, self.scene)

    def screenshot(self, source: str) -> ByteArray:
        """What obs-websocket draws on a thread of its own: (height, width, 4) RGBA, uint8."""
        return screenshot(self, source)

    def wait_judged(self, source: str) -> None:
        """Returns when a filter on any source shows the result of its newest picture."""
        wait_for(
            lambda: self.rig.lane(source).get("frames", {}).get("swapped", 0) > 0,
            30,
            f"{source} is not swapped",
        )


def screenshot(stage: Stage, source: str) -> ByteArray:
    """A screenshot of a source: (height, width, 4) RGBA, uint8."""
    answer = stage.rig.request("GetSourceScreenshot", sourceName=source, imageFormat="png")
    data = base64.b64decode(answer["imageData"].partition(",")[2])
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    code = cv2.COLOR_BGRA2RGBA if picture.shape[2] == 4 else cv2.COLOR_BGR2RGBA
    return np.asarray(cv2.cvtColor(picture, code), np.uint8)
