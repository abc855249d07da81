"""What is known of each kind of model, from the published files and the code they were trained with.

Nothing here is taken from Doppel's own tables: templates stand in the pixels of their origin.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

# InsightFace, utils/face_align.py: arcface_dst, for 112 pixels; for 128 it is moved 8 pixels to the right.
_INSIGHTFACE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
# InsightFace's frontal template (src3), for 112 pixels: SimSwap's and Ghost's.
_FRONTAL = np.array([[39.730, 51.138], [72.270, 51.138], [56.0, 68.493], [42.463, 87.010], [69.537, 87.010]])
# facexlib's FFHQ template, for 512 pixels.
_FFHQ = np.array(
    [
        [192.98138, 239.94708],
        [318.90277, 240.1936],
        [256.63416, 314.01935],
        [201.26117, 371.41043],
        [313.08905, 371.15118],
    ]
)
# FaceFusion's mtcnn_512, HifiFace's.
_MTCNN = np.array(
    [
        [0.36562865, 0.46733799],
        [0.63305391, 0.46585885],
        [0.50019127, 0.61942959],
        [0.39032951, 0.77598822],
        [0.61178945, 0.77476328],
    ]
)
FIVE_POINTS: dict[str, Points] = {
    "frontal": _FRONTAL / 112,
    "insightface 112": _INSIGHTFACE / 112,
    "insightface 128": (_INSIGHTFACE + np.array([8, 0])) / 128,
    "ffhq": _FFHQ / 512,
    "mtcnn": _MTCNN,
}

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_PLAIN = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
_SIGNED = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
Range = tuple[tuple[float, float, float], tuple[float, float, float]]


@dataclasses.dataclass(frozen=True)
class Contract:
    """Of one published file."""

    kind: str
    size: int
    template: str
    """Of :data:`FIVE_POINTS`, or ``whole face``."""
    taken: Range = _PLAIN
    """Mean and deviation, R, G, B, of what goes in."""
    given: Range = _PLAIN
    """The same of what comes out."""
    target: str = "target"
    source: str = "source"
    face: str = "output"
    source_size: int = 0
    """Of a source that is a picture."""
    source_template: str = ""


CONTRACTS: dict[str, Contract] = {
    "inswapper": Contract("inswapper", 128, "insightface 128"),
    "hyperswap": Contract("hyperswap", 256, "insightface 128", _SIGNED, _SIGNED),
    "simswap_256": Contract("simswap", 256, "frontal", _IMAGENET, _PLAIN),
    "simswap_512": Contract("simswap", 512, "frontal", target="input", source="onnx::Gemm_1"),
    "ghost": Contract("ghost", 256, "frontal", _SIGNED, _SIGNED, face="781"),
    "hififace": Contract("hififace", 256, "mtcnn", _SIGNED, _SIGNED),
    "uniface": Contract("uniface", 256, "ffhq", _SIGNED, _SIGNED, source_size=256, source_template="ffhq"),
    "blendswap": Contract("blendswap", 256, "ffhq", source_size=112, source_template="insightface 112"),
    "dfm": Contract("dfm", 224, "whole face"),
}
ENHANCERS = {
    "gfpgan": Contract("enhancer", 512, "ffhq", _SIGNED, _SIGNED, target="input"),
    "gpen_256": Contract("enhancer", 256, "insightface 128", _SIGNED, _SIGNED, target="input"),
    "codeformer": Contract("enhancer", 512, "ffhq", _SIGNED, _SIGNED, target="input"),
}

# DeepFaceLab, facelib/LandmarksProcessor.py: landmarks_2D_new, iBUG points 17..48 and 54.
MEAN_FACE = np.array(
    [
        [0.000213256, 0.106454], [0.0752622, 0.038915], [0.18113, 0.0187482], [0.29077, 0.0344891],
        [0.393397, 0.0773906], [0.586856, 0.0773906], [0.689483, 0.0344891], [0.799124, 0.0187482],
        [0.904991, 0.038915], [0.98004, 0.106454], [0.490127, 0.203352], [0.490127, 0.307009],
        [0.490127, 0.409805], [0.490127, 0.515625], [0.36688, 0.587326], [0.426036, 0.609345],
        [0.490127, 0.628106], [0.554217, 0.609345], [0.613373, 0.587326], [0.121737, 0.216423],
        [0.187122, 0.178758], [0.265825, 0.179852], [0.334606, 0.231733], [0.260918, 0.245099],
        [0.182743, 0.244077], [0.645647, 0.231733], [0.714428, 0.179852], [0.793132, 0.178758],
        [0.858516, 0.216423], [0.79751, 0.244077], [0.719335, 0.245099], [0.254149, 0.780233],
        [0.726104, 0.780233],
    ]
)  # fmt: skip


def fitted(source: Points, target: Points) -> npt.NDArray[np.float64]:
    """(2, 3) similarity without reflection, by least squares over complex numbers: ``w = a z + b``."""
    z, w = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    z0, w0 = z.mean(), w.mean()
    a = np.vdot(z - z0, w - w0) / np.vdot(z - z0, z - z0)
    b = w0 - a * z0
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def whole_face(points: Points, size: int) -> npt.NDArray[np.float64]:
    """(2, 3): DeepFaceLab's crop of a picture with those 33 points, as ``get_transform_mat`` makes it.

    The corners of the mean face's square are taken back to the picture; there the square grows about its
    middle by half a diagonal plus the padding of 0.40 sides' diagonals, and moves up by 7 % of its side.
    """
    to_mean = fitted(points, MEAN_FACE)
    linear = np.linalg.inv(to_mean[:, :2])
    corners = (np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0.5, 0.5)]) - to_mean[:, 2]) @ linear.T
    diagonal = corners[2] - corners[0]
    other = corners[1] - corners[3]
    half = np.linalg.norm(diagonal) * (0.40 * np.sqrt(2.0) + 0.5)
    middle = corners[4] + (corners[0] - corners[3]) * 0.07
    diagonal, other = (v / np.linalg.norm(v) for v in (diagonal, other))
    square = np.array([middle - diagonal * half, middle + other * half, middle + diagonal * half])
    return fitted(square, np.array([(0, 0), (size, 0), (size, size)], np.float64))
