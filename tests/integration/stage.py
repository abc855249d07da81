"""One camera on the shared OBS: the coded clip with the filter, in a scene of its own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from installer.scene import FILTER_NAME
from tests.integration.rig import EMPTY_SCENE, Rig, wait_for
from tests.support.judge import Judge, Judgement, Verdict
from tests.support.video import read_video

FPS = 30
CLIP_FRAMES = 360
"""Of the coded clip that cameras play in a loop."""
STILL_FRAMES = 10
"""A source that has sent none for so many frames of OBS is paused."""
IN_FLIGHT = 6
"""Frames that OBS may have drawn and not yet handed to its encoder, and some more."""
END_MS = 300.0
"""Of a recording: more than the few frames that are looked at."""
_numbers = itertools.count(1)


class Stage:
    """A context manager: makes scene, camera and filter, and removes them.

    Args:
        rig: the running OBS.
        clip: what the camera plays, in a loop.
    """

    def __init__(self, rig: Rig, clip: Path) -> None:
        self.rig = rig
        self.clip = clip
        number = next(_numbers)
        self.scene = f"Scene {number}"
        self.camera = f"Camera {number}"
        self.expected_warnings: list[str] = []
        self._inputs: list[str] = []
        self._item = 0

    def __enter__(self) -> Self:
        self.rig.request("SetCurrentProgramScene", sceneName=EMPTY_SCENE)
        self.rig.request("CreateScene", sceneName=self.scene)
        self._item = self.add_camera(self.camera)
        self.rig.add_filter(self.camera)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.rig.alive():
            return
        self.rig.request("SetCurrentProgramScene", sceneName=EMPTY_SCENE)
        for name in self._inputs:
            self.rig.request("RemoveInput", inputName=name)
        self.rig.request("RemoveScene", sceneName=self.scene)
        wait_for(lambda: not self.rig.workers(), 20, "the worker outlives the last filter")

    def add_camera(self, name: str, clip: Path | None = None) -> int:
        """A media source in this scene, filling the canvas; returns its scene item."""
        settings = {
            "is_local_file": True,
            "local_file": str(clip or self.clip),
            "looping": True,
            "restart_on_activate": True,
            "close_when_inactive": False,
            "hw_decode": False,
        }
        item = self.add_input(name, "ffmpeg_source", settings)
        fill = {"boundsType": "OBS_BOUNDS_SCALE_INNER", "boundsWidth": 640.0, "boundsHeight": 360.0}
        self.rig.request(
            "SetSceneItemTransform", sceneName=self.scene, sceneItemId=item, sceneItemTransform=fill
        )
        return item

    def add_input(self, name: str, kind: str, settings: dict[str, object]) -> int:
        """Any source in this scene; returns its scene item."""
        answer = self.rig.request(
            "CreateInput",
            sceneName=self.scene,
            inputName=name,
            inputKind=kind,
            inputSettings=settings,
            sceneItemEnabled=True,
        )
        self._inputs.append(name)
        return int(answer["sceneItemId"])

    def play(self, path: Path) -> None:
        """Has the camera play another file from now on."""
        self.rig.request("SetInputSettings", inputName=self.camera, inputSettings={"local_file": str(path)})

    def remove_camera(self, name: str) -> None:
        """Removes a source that :meth:`add_camera` or :meth:`add_input` made."""
        self.rig.request("RemoveInput", inputName=name)
        self._inputs.remove(name)

    def wait_gone(self, name: str) -> None:
        """Until a removed source's name is free: its scene must be shown, for OBS lets go of it there."""
        wait_for(
            lambda: all(item["inputName"] != name for item in self.rig.request("GetInputList")["inputs"]),
            20,
            f"{name} does not go",
        )

    def expect_warning(self, text: str) -> None:
        """A warning in OBS's log that this test provokes."""
        self.expected_warnings.append(text)

    def show(self, *, swapping: bool = True) -> None:
        """Goes to the camera's scene, and waits until the worker's pictures are shown."""
        self.rig.request("SetCurrentProgramScene", sceneName=self.scene)
        if swapping:
            self.wait_swapping()

    def hide(self) -> None:
        """Goes to the empty scene, which is black."""
        self.rig.request("SetCurrentProgramScene", sceneName=EMPTY_SCENE)

    def enable_item(self, *, on: bool) -> None:
        """The eye beside the source."""
        self.rig.request(
            "SetSceneItemEnabled", sceneName=self.scene, sceneItemId=self._item, sceneItemEnabled=on
        )

    def enable_filter(self, *, on: bool) -> None:
        """The eye beside the filter."""
        self.rig.request(
            "SetSourceFilterEnabled", sourceName=self.camera, filterName=FILTER_NAME, filterEnabled=on
        )

    def media(self, action: str) -> None:
        """PLAY, PAUSE, RESTART, ..."""
        self.rig.request(
            "TriggerMediaInputAction",
            inputName=self.camera,
            mediaAction=f"OBS_WEBSOCKET_MEDIA_INPUT_ACTION_{action}",
        )

    def seek(self, milliseconds: int) -> None:
        self.rig.request("SetMediaInputCursor", inputName=self.camera, mediaCursor=milliseconds)

    def cursor_ms(self) -> int:
        return int(self.rig.request("GetMediaInputStatus", inputName=self.camera)["mediaCursor"])

    def lane(self, name: str = FILTER_NAME) -> dict[str, Any]:
        return self.rig.lane(self.camera, name)

    def wait_swapping(self, timeout: float = 30) -> None:
        self.rig.wait_swapping(self.camera, timeout=timeout)

    def more_frames(self, count: int, outcome: str = "swapped") -> None:
        """Returns when so many frames more have ended so, after this call."""
        self.rig.more_frames(count, outcome, self.camera)

    def pause(self) -> None:
        """Pauses the media, and returns when no frame of it comes any more."""

        def is_still() -> bool:
            # Again and again: a busy OBS may start the media of a scene after it was told to pause it.
            self.media("PAUSE")
            before, drawn = self.lane(), self.rig.drawn()
            wait_for(lambda: self.lane()["updated_ns"] > before["updated_ns"], 20, "there are no new figures")
            # Also where OBS draws a few frames a second, a source that plays has one for each.
            self.rig.draw_more(max(0, drawn + STILL_FRAMES - self.rig.drawn()))
            after = self.lane()
            return bool(before["frames"]["in"] == after["frames"]["in"])

        wait_for(is_still, 30, "frames still come")


def judged(judge: Judge, recording: Path) -> list[Judgement]:
    """Every frame of a recording, judged; a frame that repeats the one before it needs no second look."""
    result: list[Judgement] = []
    before = np.empty(0, np.uint8)
    for _, rgb in read_video(recording):
        result.append(result[-1] if np.array_equal(rgb, before) else judge.judge(rgb))
        before = rgb
    return result


def assert_nothing_unjudged(judgements: Sequence[Judgement]) -> None:
    """No frame shows the filmed face, and there is none that the judge cannot place."""
    assert len(judgements) > FPS // 2, "the recording is too short to show anything"
    bad = [
        (index, item.verdict.value, item.frame_number, round(item.likeness, 2))
        for index, item in enumerate(judgements)
        if item.verdict in (Verdict.RAW, Verdict.UNKNOWN)
    ]
    assert not bad, f"{len(bad)} of {len(judgements)} frames: {bad[:20]}"


def record_end(stage: Stage) -> None:
    """Records what is shown now: OBS draws it, and hands it to its encoder."""
    stage.rig.draw_more(IN_FLIGHT)
    stage.rig.record_more(END_MS)


def steps_of(numbers: Sequence[int]) -> list[int]:
    """From each of the looped clip's frame numbers to the next, the shorter way round; negative: back.

    A picture that a busy OBS left out makes a larger step, at the clip's end, too.
    """
    half = CLIP_FRAMES // 2
    return [(later - earlier + half) % CLIP_FRAMES - half for earlier, later in itertools.pairwise(numbers)]


def shown_numbers(judgements: Sequence[Judgement]) -> list[int]:
    """The clip's frame numbers in the order they were shown; covered and black frames left out."""
    return [item.frame_number for item in judgements if item.frame_number is not None]
