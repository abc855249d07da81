"""Networks that add up the processor time of their runs, so that it can be told from all the rest."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from doppel_models.detector import FaceDetector
from doppel_models.landmarker import FaceLandmarker
from doppel_models.session import Network
from doppel_models.types import ByteArray, Detection


class Spent:
    """Processor time of this thread."""

    def __init__(self) -> None:
        self.ns = 0


class TimedNetwork(Network):
    """A network as it is, and the time of its runs: what goes in and comes out is made outside of it."""

    def __init__(self, network: Network, spent: Spent) -> None:
        """Take over a network that is built already."""
        vars(self).update(vars(network))
        self._spent = spent

    def run(self, *inputs: npt.NDArray[Any]) -> Sequence[npt.NDArray[np.float32]]:
        """See ``Network.run``."""
        start = time.thread_time_ns()
        outputs = super().run(*inputs)
        self._spent.ns += time.thread_time_ns() - start
        return outputs


class TimedLandmarker(FaceLandmarker):
    """Its network is timed."""

    def __init__(self, spent: Spent) -> None:
        super().__init__()
        self.bare = self.network
        """To be run by itself."""
        self.network = TimedNetwork(self.network, spent)


class TimedDetector(FaceDetector):
    """Its calls are timed; it runs on some frames only."""

    def __init__(self, spent: Spent) -> None:
        super().__init__()
        self._spent = spent

    def detect(self, image: ByteArray, min_score: float = 0.5) -> list[Detection]:
        """See ``FaceDetector.detect``."""
        start = time.thread_time_ns()
        result = super().detect(image, min_score)
        self._spent.ns += time.thread_time_ns() - start
        return result

    def detect_far(self, image: ByteArray, min_score: float = 0.5) -> list[Detection]:
        """See ``FaceDetector.detect_far``."""
        start = time.thread_time_ns()
        result = super().detect_far(image, min_score)
        self._spent.ns += time.thread_time_ns() - start
        return result
