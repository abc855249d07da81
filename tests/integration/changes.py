"""How soon a changed setting is seen, read out of a recording.

Beside the camera stands a lamp, a source without any filter. A change flips the lamp and sets another
persona right after it; how many recorded frames later the face follows is the change's lag. Both requests
wait for OBS's next frame, so the lag holds all that Doppel needs, and the delay of every picture.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from tests.integration.rig import CANVAS, Rig, wait_for
from tests.support.video import read_video

PERSONAS = ("porcelain", "bronze")
"""With the lamp off, and on."""
FRAMES_EACH = 15
"""Frames that OBS renders after each change."""
_SIDE = 48
_ON, _OFF = 0xFFFFFFFF, 0xFF000000
_NOSE = (0.46, 0.54, 0.40, 0.52)
"""Left, right, top and bottom of a part of the demo clip's face, in fractions of the picture."""


class Lamp:
    """A black square in a scene's lower right corner that becomes white.

    Args:
        rig: the running OBS.
        scene: where it stands.
        name: of its source; whoever made the scene removes it.
    """

    def __init__(self, rig: Rig, scene: str, name: str) -> None:
        self._rig, self.name = rig, name
        settings = {"color": _OFF, "width": _SIDE, "height": _SIDE}
        item = rig.request(
            "CreateInput",
            sceneName=scene,
            inputName=name,
            inputKind="color_source_v3",
            inputSettings=settings,
        )["sceneItemId"]
        place = {"positionX": float(CANVAS[0] - _SIDE), "positionY": float(CANVAS[1] - _SIDE)}
        rig.request("SetSceneItemTransform", sceneName=scene, sceneItemId=item, sceneItemTransform=place)

    def switch(self, *, on: bool) -> None:
        """Changes its colour with OBS's next frame."""
        self._rig.request(
            "SetInputSettings", inputName=self.name, inputSettings={"color": _ON if on else _OFF}
        )


def record_changes(rig: Rig, lamp: Lamp, camera: str, count: int) -> Path:
    """A recording of so many changes between the two personas; the camera wears the first one."""
    with rig.recording() as recording:
        _wait_frames(rig)
        for number in range(1, count + 1):
            lamp.switch(on=number % 2 == 1)
            rig.set_filter(camera, persona=PERSONAS[number % 2])
            _wait_frames(rig)
    return recording[0]


def lags_of(recording: Path) -> list[int]:
    """Recorded frames from each flip of the lamp to the face that follows, or to the next flip."""
    lit, faces = _levels(recording)
    flips = [index for index in range(1, len(lit)) if lit[index] != lit[index - 1]]
    ends = [*flips[1:], len(lit)]
    # What the face is like with the lamp off and on, when a change has long been seen.
    dark = statistics.median(faces[: flips[0]])
    bright = statistics.median(
        face for begin, end in zip(flips, ends, strict=True) if lit[begin] for face in faces[end - 3 : end]
    )
    lags = []
    for begin, end in zip(flips, ends, strict=True):
        new, old = (bright, dark) if lit[begin] else (dark, bright)
        seen = (index for index in range(begin, end) if abs(faces[index] - new) < abs(faces[index] - old))
        lags.append(next(seen, end) - begin)
    return lags


def _levels(recording: Path) -> tuple[Sequence[bool], Sequence[float]]:
    """Whether the lamp is lit, and the face's mean level, 0..255, of each frame."""
    lit, faces = [], []
    for _, rgb in read_video(recording):
        height, width = rgb.shape[:2]
        left, right, top, bottom = _NOSE
        face = rgb[int(top * height) : int(bottom * height), int(left * width) : int(right * width)]
        lit.append(bool(rgb[8 - _SIDE : -8, 8 - _SIDE : -8].mean() > 128))
        faces.append(float(face.mean()))
    return lit, faces


def _wait_frames(rig: Rig) -> None:
    def rendered() -> int:
        return int(rig.request("GetStats")["renderTotalFrames"])

    start = rendered()
    wait_for(lambda: rendered() >= start + FRAMES_EACH, 30, "OBS stands still")
