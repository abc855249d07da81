"""What the mesh engine remembers between frames."""

from __future__ import annotations

from doppel_models.engines import base
from doppel_models.engines.mesh import occlusion, relight, shape
from doppel_models.types import ByteArray, FloatArray


class MeshState:
    """What the mesh engine remembers of one tracked face."""

    def __init__(self) -> None:
        """Know nothing."""
        self.neutral = shape.NeutralEstimate()
        self.light = relight.Relight()
        self.occlusion = occlusion.Occlusion()
        self.live: FloatArray | None = None
        self.covered: FloatArray | None = None
        self.shift: FloatArray | None = None
        self.resting = (0.0, 0.0, 0.0)
        self.frames = 0
        self.level: int | None = None
        self.lit: ByteArray | None = None
        """What the processor draws from; None: it is to be made anew."""
        self.gain: FloatArray | None = None
        self.gained: tuple[int, bool] | None = None
        """Size of the texture that :attr:`gain` is for, and whether it is wanted; None: it is due."""
        self.shown: tuple[FloatArray, FloatArray] | None = None
        """A mask in texture space, and the same without what :attr:`covered` covers."""
        self.turn = 0
        self.since_light = self.since_occlusion = 0.0
        self.clock = base.FrameClock()

    def reset(self) -> None:
        """Forget everything."""
        self.neutral.reset()
        self.light.reset()
        self.occlusion.reset()
        self.live = self.covered = None
        self.shift = self.shown = None
        self.frames = 0
        self.level = None
        self.lit = self.gain = self.gained = None
        self.turn = 0
        self.since_light = self.since_occlusion = 0.0
        self.clock.reset()
