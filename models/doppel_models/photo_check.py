"""Whether a photo of a face is good enough for a persona; what is wrong and what to do about it."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from doppel_models import face_texture, photo_looks, still
from doppel_models.detector import FaceDetector
from doppel_models.errors import PersonaError
from doppel_models.landmarker import FaceLandmarker
from doppel_models.photo_cover import covered_parts
from doppel_models.photo_file import PhotoFile
from doppel_models.pose import head_pose
from doppel_models.sentences import listed, sentence
from doppel_models.types import ByteArray, FloatArray

MIN_FACE_PX = 64
"""Narrower faces are refused."""
GOOD_FACE_PX = 160
"""Narrower faces are taken with a warning."""
MAX_YAW, GOOD_YAW = 45.0, 25.0
MAX_PITCH = 30.0
MIN_SHARPNESS, GOOD_SHARPNESS = 0.02, 0.055
_OTHER_FACE = 0.3
MAX_CUT_OFF, GOOD_CUT_OFF = 0.12, 0.02
"""Share of the mesh's points that lie outside the picture."""
_ROOM_PX = 1600
"""Longer side of the picture in which a face is looked for that fills it."""
_SURE, _SURER = 0.85, 0.05
"""The detector's score of a face that stands upright is .91 to .97, on its side .77 to .87, on its head .52
to .76; of what is no face, or half of one, up to .77."""


@dataclasses.dataclass(frozen=True, slots=True)
class PhotoCheck:
    """What a check found in a photo that can be used."""

    warnings: tuple[str, ...]
    yaw: float
    """Degrees."""


def only_face(photo: PhotoFile, detector: FaceDetector, landmarker: FaceLandmarker) -> FloatArray:
    """Landmarks (478, 3), pixels, of the one face in a photo; small faces in the background do not count.

    Raises:
        PersonaError: there is no face, or more than one.
    """
    faces = _faces(photo.image, detector, landmarker)
    if not faces:
        raise PersonaError(
            sentence(
                "photo.no-face",
                "no face is found in {name}; use a photo that shows the whole face from the front, with"
                " nothing in front of it",
                name=photo.name,
            )
        )
    widths = [float(np.ptp(face[:, 0])) for face in faces]
    others = sum(width > _OTHER_FACE * widths[0] for width in widths) - 1
    if others:
        raise PersonaError(
            sentence(
                "photo.faces",
                "{name} shows {faces} faces; cut the picture down to the one face that you mean",
                name=photo.name,
                faces=others + 1,
            )
        )
    return faces[0]


def _faces(image: ByteArray, detector: FaceDetector, landmarker: FaceLandmarker) -> list[FloatArray]:
    """Landmarks of all faces, widest first, also of faces too small or too large for the detector at once."""
    height, width = image.shape[:2]
    found = _faces_any_way_up(image, detector, landmarker)
    if not found:
        found = _faces_with_room(image, detector, landmarker)
    if not found and min(height, width) >= 2 * MIN_FACE_PX:
        # A face that is small in the picture: look at overlapping parts of it.
        for share in (2, 4):
            found = _faces_in_parts(image, share, detector, landmarker)
            if found:
                break
    found.sort(key=lambda points: -float(np.ptp(points[:, 0])))
    single: list[FloatArray] = []
    for points in found:
        center, reach = points[:, :2].mean(axis=0), float(np.ptp(points[:, 0]))
        if all(np.linalg.norm(center - other[:, :2].mean(axis=0)) > 0.5 * reach for other in single):
            single.append(points)
    return single


def _faces_with_room(
    image: ByteArray, detector: FaceDetector, landmarker: FaceLandmarker
) -> list[FloatArray]:
    """Faces that fill the picture, which the detector finds where there is some room around them.

    It sees the whole picture at 128 to 256 pixels a side, so a large photo is made smaller first: with room
    around it would take four times its memory.
    """
    height, width = image.shape[:2]
    scale = min(1.0, _ROOM_PX / max(height, width))
    size = max(round(width * scale), 1), max(round(height * scale), 1)  # of a strip one side could be none
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
    pad = max(small.shape[:2]) // 2
    wide = cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    zoom = np.array([width / small.shape[1], height / small.shape[0], 1 / scale], np.float32)
    half = np.array([0.5, 0.5, 0], np.float32)  # a pixel's centre is half a pixel from its edge
    shift = np.array([pad, pad, 0], np.float32) - half
    found = _faces_any_way_up(np.asarray(wide, np.uint8), detector, landmarker)
    return [(points - shift) * zoom - half for points in found]


def _faces_any_way_up(
    image: ByteArray, detector: FaceDetector, landmarker: FaceLandmarker
) -> list[FloatArray]:
    """Landmarks in a picture that may lie on its side or stand on its head.

    The detector takes the mouth of a face on its head for its eyes, and is a few degrees off with one on its
    side; it is far surer of the face in the picture turned upright.
    """
    found = [
        still.find_faces(np.ascontiguousarray(np.rot90(image, turns)), detector, landmarker)
        for turns in range(4)
    ]
    sure = [max((face.detection.score for face in faces), default=0.0) for faces in found]
    turns = int(np.argmax(sure))
    if sure[turns] < max(_SURE, sure[0] + _SURER):
        turns = 0
    return [_turned_back(face.landmarks, turns, image) for face in found[turns]]


def _turned_back(points: FloatArray, turns: int, image: ByteArray) -> FloatArray:
    """Points of ``np.rot90(image, turns)`` as points of ``image``."""
    right, bottom = image.shape[1] - 1, image.shape[0] - 1
    x, y, z = points.T
    places = ((x, y), (right - y, x), (right - x, bottom - y), (y, bottom - x))
    return np.stack([*places[turns], z], axis=1).astype(np.float32)


def _faces_in_parts(
    image: ByteArray, share: int, detector: FaceDetector, landmarker: FaceLandmarker
) -> list[FloatArray]:
    """Faces in overlapping parts of a picture, 1 / ``share`` of its sides; one may come twice."""
    side_y, side_x = image.shape[0] // share, image.shape[1] // share
    found = []
    for y in range(0, image.shape[0] - side_y + 1, max(side_y // 2, 1)):
        for x in range(0, image.shape[1] - side_x + 1, max(side_x // 2, 1)):
            part = np.ascontiguousarray(image[y : y + side_y, x : x + side_x])
            shift = np.array([x, y, 0], np.float32)
            found += [face.landmarks + shift for face in still.find_faces(part, detector, landmarker)]
    return found


def check(photo: PhotoFile, landmarks: FloatArray, view: face_texture.Unwrapped) -> PhotoCheck:
    """Check one photo with one face.

    Args:
        photo: the photo.
        landmarks: (478, 3) of its face, pixels.
        view: the photo in texture space.

    Raises:
        PersonaError: the photo cannot be used; the message says why and what to do.
    """
    name = photo.name
    warnings: list[str] = []
    face_width = float(np.ptp(landmarks[:, 0]))
    pose = head_pose(landmarks)
    if face_width < MIN_FACE_PX:
        raise PersonaError(
            sentence(
                "photo.small",
                "the face in {name} is only {pixels} pixels wide; use a photo with a face of at least"
                " {least}, better {good} pixels",
                name=name,
                pixels=round(face_width),
                least=MIN_FACE_PX,
                good=GOOD_FACE_PX,
            )
        )
    if face_width < GOOD_FACE_PX:
        warnings.append(
            sentence(
                "photo.rather-small",
                "the face in {name} is only {pixels} pixels wide and will look soft; a photo with a face of"
                " {good} pixels or more looks better",
                name=name,
                pixels=round(face_width),
                good=GOOD_FACE_PX,
            )
        )
    height, width = photo.image.shape[:2]
    x, y = landmarks[:, 0], landmarks[:, 1]
    cut_off = float(((x < -1) | (y < -1) | (x > width) | (y > height)).mean())
    if cut_off > MAX_CUT_OFF:
        raise PersonaError(
            sentence(
                "photo.cut-off",
                "the face in {name} is cut off by the picture's edge; use a photo that shows the whole face",
                name=name,
            )
        )
    if cut_off > GOOD_CUT_OFF:
        warnings.append(
            sentence(
                "photo.a-little-cut-off",
                "the picture's edge cuts off a little of the face in {name}; a photo with the whole face"
                " looks better",
                name=name,
            )
        )
    if abs(pose.yaw) > MAX_YAW or abs(pose.pitch) > MAX_PITCH:
        raise PersonaError(
            sentence(
                "photo.turned-away",
                "the face in {name} is turned away ({yaw} degrees sideways, {pitch} up or down); use a photo"
                " that is taken from the front",
                name=name,
                yaw=round(abs(pose.yaw)),
                pitch=round(abs(pose.pitch)),
            )
        )
    if abs(pose.yaw) > GOOD_YAW:
        warnings.append(
            sentence(
                "photo.sideways",
                "the face in {name} is turned sideways ({yaw} degrees), so half of it must be guessed; add a"
                " photo from the front",
                name=name,
                yaw=round(abs(pose.yaw)),
            )
        )
    covered = covered_parts(view.texture)
    if covered:
        raise PersonaError(
            sentence(
                "photo.covered",
                "something covers {parts} in {name}; use a photo with nothing in front of the face, also no"
                " sunglasses",
                parts=listed(covered),
                name=name,
            )
        )
    sharpness = photo_looks.sharpness(photo.image, landmarks)
    if sharpness < MIN_SHARPNESS:
        raise PersonaError(sentence("photo.blurred", "{name} is too blurred; use a sharper photo", name=name))
    if sharpness < GOOD_SHARPNESS:
        warnings.append(
            sentence(
                "photo.a-little-blurred",
                "{name} is a little blurred; a sharper photo looks better",
                name=name,
            )
        )
    warnings += photo_looks.remarks(name, landmarks, view)
    return PhotoCheck(tuple(warnings), pose.yaw)
