"""Keeps one lane's slate as the settings want it: read and fitted in the background, drawn between frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from doppel_ipc.ring import WorkerRing
from doppel_ipc.settings import FilterSettings
from doppel_models.sentences import sentence, told_by
from doppel_models.types import ByteArray

from doppel_worker.errors import SlateError
from doppel_worker.frame import FrameView
from doppel_worker.slot_frame import planes_of

Background = Callable[[Callable[[], None]], None]
"""Runs a job later, on another thread."""
Report = Callable[[str, str, str], None]
"""``report(code, message, advice)``."""


class LaneSlate:
    """The lane's thread calls everything here.

    Args:
        ring: whose slate area is drawn.
        background: where the picture's file is read.
        report: tells OBS of a picture that cannot be used.

    Attributes:
        detail: what is wrong with the picture; empty: nothing.
    """

    def __init__(self, ring: WorkerRing, background: Background, report: Report) -> None:
        self.detail = ""
        self._ring = ring
        self._background = background
        self._report = report
        self._path = ""
        self._read: tuple[str, ByteArray | str] | None = None
        self._picture: ByteArray | None = None
        self._drawn_for: tuple[object, ...] = ()

    @property
    def pending(self) -> bool:
        """A picture is wanted that is neither drawn nor known to be unusable; another frame may draw it."""
        return bool(self._path) and not self._drawn_for and not self.detail

    def want(self, settings: FilterSettings) -> None:
        """Has the picture of these settings read, unless it is the one already wanted."""
        path = settings.slate_image if settings.cover == "slate" else ""
        if path == self._path:
            return
        self._path, self._picture, self._drawn_for, self.detail = path, None, (), ""
        self._ring.set_slate(False)
        if path:
            self._background(lambda: self._load(path))

    def update(self, like: FrameView) -> None:
        """Draws the slate once its picture is there, and again when colours or row order change."""
        if self._read is not None and self._read[0] == self._path:
            outcome, self._read = self._read[1], None
            if isinstance(outcome, str):
                self.detail = outcome
                advice = sentence("slate.mosaic", "the mosaic is shown instead")
                self._report("slate", outcome, advice)
            else:
                self._picture = outcome
        if self._picture is None:
            return
        key = (
            like.flip,
            like.color.matrix.tobytes(),
            like.color.range_min.tobytes(),
            like.color.range_max.tobytes(),
        )
        if key == self._drawn_for:
            return
        from doppel_worker import slate

        self._ring.set_slate(False)
        slate.draw(self._picture, like, planes_of(self._ring.slate(), self._ring.layout))
        self._ring.set_slate(True)
        self._drawn_for = key

    def close(self) -> None:
        """The lane ends; a picture that is still being read is forgotten."""
        self._path, self._picture = "", None

    def _load(self, path: str) -> None:
        """In the background. One assignment hands the outcome over."""
        from doppel_worker import slate

        layout = self._ring.layout
        try:
            self._read = (path, slate.load(Path(path), layout.width, layout.height))
        except SlateError as error:
            self._read = (path, told_by(error))
