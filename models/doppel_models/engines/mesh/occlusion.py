"""What is in front of the face: a hand, a cup, a microphone, the live person's own fringe.

**Moving things** are found against a memory of how this face usually looks in texture space, free of its
light: brightness and two colour differences per texel, their usual spread, and the range of their
neighbourhood (so that landmarks that are a texel off raise no alarm). A thing in front is a large connected
patch that differs strongly and reaches in from the outline; what differs in the middle of the face only is an
expression. Turning the head raises the threshold, because the face itself then looks different. Where the new
patch has the colour of the rest of the skin and the memory has not, a thing that was there from the start has
gone: the memory was wrong, and what appears is the face.

**Hair** over the forehead stands still, so it is found by its colour: much darker than the skin of the cheeks
and connected with the upper outline.
"""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np

from doppel_models.engines.mesh import imaging, masks, relight, zones
from doppel_models.types import FloatArray

SIZE = masks.SIZE
_STEP = 4
_ROUNDS = 3
_HUBER = 0.08
_LEARN_FRAMES = 6
_MEMORY_SECONDS = 4.0
_HIDDEN_MEMORY_SECONDS = (4.0, 25.0)
"""How fast what is taken for a thing in front is learnt after all: fast while the face is hardly known."""
_FLOOR = np.broadcast_to(np.array([0.10, 0.045, 0.045], np.float32), (SIZE, SIZE, 3)).copy()
"""As large as the map: broadcasting three numbers over it takes seven times as long."""
_SPREAD_SHARE = 1.2
_MOST_STRAYED = 0.3
_LOW, _HIGH = 1.0, 1.5
_CORE_SHARE = 0.2
_MIN_AREA, _MAX_AREA = 0.012, 0.85
_YAW_TOLERANCE, _PITCH_TOLERANCE = 14.0, 12.0
_MAX_TURNED = 1.5
_RISE_SECONDS, _FALL_SECONDS = 0.04, 0.12
_SKIN_LIKE, _UNLIKE = 0.5, 0.055
"""A patch is skin that appears if it is so many times as far in colour from the other skin as the memory of
it, which is at least so far from it. Measured on drawn things: where a book goes 0.16 to 0.3
times 0.34 to 0.67, a hand 0.2 to 0.5 times 0.06 to 0.07; where a book comes 4 times 0.2, a hand 2.6 times
0.03 to 0.05."""
_TRUSTED_SHARE = (0.25, 0.35)
"""Part of the face that a thing in front may cover: a larger hole is doubtful, more and more."""
_TRUSTED_AGE = (8.0, 10.0)
"""Seconds for which the face must be known until its memory can be trusted."""
_HAIR_SECONDS = 0.4
_MIN_HAIR = 0.006
_HAIR_CONTRAST = 0.5
"""Natural logarithm: hair reflects less than about 60 % of what the skin does."""


class Occlusion:
    """Finds what is in front of one live face."""

    def __init__(self) -> None:
        """Know nothing."""
        self.reset()

    def reset(self) -> None:
        """Forget the face."""
        self._mean: FloatArray | None = None
        self._low: FloatArray
        self._high: FloatArray
        self._spread: FloatArray
        self._pose = (0.0, 0.0)
        self._frames = 0
        self._age = 0.0
        self._light: FloatArray | None = None
        self._mask = np.zeros((SIZE, SIZE), np.float32)
        self._hair: FloatArray | None = None
        self._hair_mask: FloatArray | None = None
        self._turn, self._since_hair = 0, 0.0

    def update(self, live_log: FloatArray, yaw: float, pitch: float, seconds: float) -> FloatArray | None:
        """Take in a frame.

        Args:
            live_log: (SIZE, SIZE, 3) :func:`relight.log_texture` of the live face in texture space.
            yaw: degrees.
            pitch: degrees.
            seconds: since the last frame.

        Returns:
            (SIZE, SIZE) float32, 0 free .. 1 covered; None: nothing is in front.
        """
        look = _look(live_log)
        # Hair stands still: every second frame is enough.
        self._since_hair += seconds
        if self._turn % 2 == 0:
            self._hair_mask = self._update_hair(look[:, :, 0], self._since_hair)
            self._since_hair = 0.0
        self._turn += 1
        hair = self._hair_mask
        if self._mean is None:
            self._mean, _ = _without_light(look, None, None)
            self._light = None
            self._age = 0.0
            self._spread = np.full((SIZE, SIZE, 3), 0.05, np.float32)
            self._pose = (yaw, pitch)
            self._frames = 1
            self._take_range(self._mean)
            return hair
        look, self._light = _without_light(look, self._mean, self._light)
        turned = ((yaw - self._pose[0]) / _YAW_TOLERANCE) ** 2 + (
            (pitch - self._pose[1]) / _PITCH_TOLERANCE
        ) ** 2
        found = None
        if self._frames >= _LEARN_FRAMES:
            found = self._find(look, 1 + min(turned, _MAX_TURNED))
            if found is not None and self._appears(look, found):
                found = None
        self._learn(look, self._mean, found, (yaw, pitch), seconds)
        if found is None:
            if not self._mask.any():
                return hair
            self._mask *= np.float32(np.exp(-seconds / _FALL_SECONDS))
            self._mask[self._mask < 0.02] = 0
        else:
            rise, fall = (np.float32(1 - np.exp(-seconds / t)) for t in (_RISE_SECONDS, _FALL_SECONDS))
            change = found - self._mask
            self._mask += change * np.where(change > 0, rise, fall)
        return self._mask if hair is None else np.maximum(self._mask, hair)

    def _find(self, look: FloatArray, tolerance: float) -> FloatArray | None:
        # In place: what is in between stays in the processor's cache.
        outside = look - self._high
        np.maximum(outside, self._low - look, out=outside)
        np.maximum(outside, np.float32(0), out=outside)
        spread = self._spread * np.float32(_SPREAD_SHARE)
        spread += _FLOOR
        outside /= spread
        outside *= outside
        total = np.asarray(cv2.blur(cv2.sqrt(cv2.transform(outside, _SUM)), (3, 3)), np.float32)
        total *= zones.trust()
        odd = (total > _LOW * tolerance) & zones.inside()
        area = zones.area()
        if np.count_nonzero(odd) < _MIN_AREA * area:
            return None
        count, labels, stats, _ = cv2.connectedComponentsWithStats(odd.astype(np.uint8), connectivity=8)
        core = np.bincount(labels[total > _HIGH * tolerance], minlength=count)
        border = np.bincount(labels[zones.border()], minlength=count)
        size = stats[:, cv2.CC_STAT_AREA]
        good = (size >= _MIN_AREA * area) & (core >= _CORE_SHARE * size) & (border > 0)
        good[0] = False
        if not good.any() or size[good].sum() > _MAX_AREA * area:
            return None
        patch = cv2.morphologyEx(good[labels].astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        return np.asarray(
            cv2.GaussianBlur(cv2.dilate(patch, _DISC).astype(np.float32), (0, 0), 0.8), np.float32
        )

    @property
    def doubt(self) -> float:
        """0..1: how little what seems to be in front of the face can be trusted to be in front of it.

        A hole in the swap shows the filmed picture: a large one, or one in a face that is hardly known, may
        show the face itself.
        """
        if not self._mask.any():
            return 0.0
        share = float(np.vdot(self._mask, zones.inside_share()))
        low, high = _TRUSTED_SHARE
        young, known = _TRUSTED_AGE
        return min(1.0, max((share - low) / (high - low), (known - self._age) / (known - young), 0.0))

    @property
    def moving(self) -> FloatArray:
        """(SIZE, SIZE) 0..1: what is in front, but for hair."""
        return self._mask

    def _appears(self, look: FloatArray, found: FloatArray) -> bool:
        """True if what seems to be in front is skin that appears; the memory is put right."""
        assert self._mean is not None  # noqa: S101 - something is found only against a memory
        skin = relight.skin_weight() > 0.5
        patch, rest = skin & (found > 0.5), skin & (found < 0.05)
        if not patch.any() or not rest.any():
            return False
        usual = np.median(look[rest][:, 1:], axis=0)
        now, before = (
            float(np.abs(np.median(of[patch][:, 1:], axis=0) - usual).max()) for of in (look, self._mean)
        )
        if before < _UNLIKE or now > _SKIN_LIKE * before:
            return False
        self._mean[:] = look
        self._take_range(self._mean)
        return True

    def _learn(
        self,
        look: FloatArray,
        mean: FloatArray,
        found: FloatArray | None,
        pose: tuple[float, float],
        seconds: float,
    ) -> None:
        self._frames += 1
        self._age += seconds
        fastest, slowest = _HIDDEN_MEMORY_SECONDS
        rate = max(1 / self._frames, 1 - math.exp(-seconds / _MEMORY_SECONDS))
        strayed = np.minimum(cv2.absdiff(look, mean), np.float32(_MOST_STRAYED))
        if found is None:
            cv2.accumulateWeighted(strayed, self._spread, rate)
            cv2.accumulateWeighted(look, mean, rate)
        else:
            slow = 1 - math.exp(-seconds / min(max(self._age, fastest), slowest))
            hidden = np.clip(cv2.dilate(found, _DISC) * 2, 0, 1)
            rates = hidden * np.float32(slow - rate) + np.float32(rate)
            share = np.asarray(cv2.merge([rates] * 3), np.float32)
            self._spread += (strayed - self._spread) * share
            mean += (look - mean) * share
        yaw, pitch = self._pose
        self._pose = (yaw + (pose[0] - yaw) * rate, pitch + (pose[1] - pitch) * rate)
        self._take_range(mean)

    def _take_range(self, mean: FloatArray) -> None:
        self._low = np.asarray(cv2.erode(mean, _NEAR), np.float32)
        self._high = np.asarray(cv2.dilate(mean, _NEAR), np.float32)

    def _update_hair(self, brightness: FloatArray, seconds: float) -> FloatArray | None:
        cheeks = np.take(brightness, zones.cheeks())
        skin = np.partition(cheeks, len(cheeks) // 2)[len(cheeks) // 2]
        dark = (brightness < skin - np.float32(_HAIR_CONTRAST)) & zones.hair_zone()
        hair = np.zeros((SIZE, SIZE), np.float32)
        if np.count_nonzero(dark):
            # Only what hangs down from the upper outline is hair; a dark spot elsewhere is not.
            count, labels = cv2.connectedComponents(dark.astype(np.uint8), connectivity=4)
            rooted = np.zeros(count, np.float32)
            rooted[np.take(labels, zones.hair_roots())] = 1
            rooted[0] = 0
            hair = np.asarray(rooted[labels], np.float32)
            if float(hair.sum()) < _MIN_HAIR * zones.area():
                hair[:] = 0
        if self._hair is None:
            self._hair = hair
        else:
            cv2.accumulateWeighted(hair, self._hair, 1 - math.exp(-seconds / _HAIR_SECONDS))
        if float(self._hair.max()) < 0.05:
            return None
        return np.asarray(cv2.GaussianBlur(cv2.dilate(self._hair, _DISC), (0, 0), 0.8), np.float32)


_DISC = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_NEAR = np.ones((3, 3), np.uint8)
_SUM = np.ones((1, 3))
_LOOK = np.array([[1, 1, 1], [2, -1, -1], [-1, -1, 2]]) / 3


def _look(live_log: FloatArray) -> FloatArray:
    """Brightness and the differences of red and blue from it; all logarithms."""
    return np.asarray(cv2.transform(live_log, _LOOK), np.float32)


def _without_light(
    look: FloatArray, usual: FloatArray | None, before: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """``look`` without what the light of this frame does to the whole face.

    The fit starts from the light of the frame ``before``, because half of the face may be hidden now.
    """
    basis, weight, ridge = _fit_basis()
    few = look[::_STEP, ::_STEP]
    r = (few if usual is None else few - usual[::_STEP, ::_STEP]).reshape(-1, 3).T
    both, count = np.concatenate([basis, r]), len(basis)
    r = both[count:]
    w, coefficients = weight, before
    for _ in range(_ROUNDS):
        if coefficients is not None:
            error = coefficients.T @ basis
            error -= r
            # Huber's weight squared: 1 up to the limit, then limit / error.
            share = np.maximum(np.abs(error, out=error).max(axis=0), np.float32(_HUBER))
            np.divide(np.float32(_HUBER), share, out=share)
            share *= share
            w = weight * share
        # Both sides of the normal equations by one product.
        sums = (basis * w) @ both.T
        coefficients = imaging.solve(sums[:, :count] + ridge, np.ascontiguousarray(sums[:, count:]))
    assert coefficients is not None  # noqa: S101 - there is at least one round
    return look - (relight.basis() @ coefficients).reshape(SIZE, SIZE, 3), coefficients


@functools.cache
def _fit_basis() -> tuple[FloatArray, FloatArray, FloatArray]:
    """(4, n) light at some texels, (n,) their weight, (4, 4) what keeps the fit determined."""
    sub = slice(None, None, _STEP)
    basis = relight.basis().reshape(SIZE, SIZE, -1)[sub, sub]
    weight = relight.skin_weight()[sub, sub].reshape(-1).copy()
    ridge = np.eye(basis.shape[2], dtype=np.float32) * np.float32(1e-3 * float(weight.sum()))
    return np.ascontiguousarray(basis.reshape(-1, basis.shape[2]).T), weight, ridge
