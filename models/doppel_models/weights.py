"""The files that Doppel ships, with their hashes: nothing is used that is not exactly what was shipped."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

from doppel_models.errors import WeightsError
from doppel_models.sentences import sentence

FOLDER = Path(__file__).parent / "weights"


@dataclasses.dataclass(frozen=True, slots=True)
class BundledFile:
    """One file of the folder ``weights``."""

    name: str
    sha256: str

    def read(self) -> bytes:
        """The file's content, after its hash was checked.

        Raises:
            WeightsError: the file is missing, cannot be read or has another hash.
        """
        path = FOLDER / self.name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise WeightsError(
                sentence(
                    "install.unreadable",
                    "{path}: {why}; install Doppel again",
                    path=path,
                    why=error.strerror,
                )
            ) from error
        digest = hashlib.sha256(data).hexdigest()
        if digest != self.sha256:
            raise WeightsError(
                sentence(
                    "install.damaged",
                    "{path} is damaged (sha256 {found}, expected {wanted}); install Doppel again",
                    path=path,
                    found=digest[:12],
                    wanted=self.sha256[:12],
                )
            )
        return data


FACE_DETECTOR = BundledFile(
    "face_detector.onnx", "ea6ebb52fc8d1b782432c22084fed809498f154cf21f3e4d34a33a8ccaffa081"
)
"""BlazeFace, short range: 128x128 RGB -> 896 boxes with 6 key points, and their scores."""
FACE_DETECTOR_FAR = BundledFile(
    "face_detection_full_range.onnx", "1cc85f809cdcb459f6d2fc3086f01933d20f68787700ed0dde8f98a7757835dc"
)
"""BlazeFace, full range: 192x192 RGB -> 2304 boxes with 6 key points, and their scores."""
FACE_LANDMARKS = BundledFile(
    "face_landmarks.onnx", "1da2aa4a3c55dfddcad6948aa63cc5d9eb14c2315c02a70c7baf16b9f6a62cde"
)
"""Face mesh V2: 256x256 RGB 0..255, channels first -> 478 points in 3-D, and the presence of a face."""
CANONICAL_FACE = BundledFile(
    "canonical_face_model.obj", "b2a959c8456d94dc039336e0c5a1735a4692a1193e248ac07d8511578a8535cf"
)
"""The 468 vertices of the neutral face, their UV coordinates and 898 triangles."""

BUNDLED = (FACE_DETECTOR, FACE_DETECTOR_FAR, FACE_LANDMARKS, CANONICAL_FACE)
