"""Detections too weak to be followed: which of them must be hidden all the same.

A face that a hand covers, that the frame's edge cuts or that is far away often scores less than the
detector's limit. Hiding all that does would blur rooms: the landmark network is asked for its opinion first.

Measured on 1140 pictures without a face (two webcam rooms with the person painted out, drawn rooms with and
without drawn hands, photographs of things and textures), how many regions the near / the far network names:

| rule | webcam rooms, of 230 | drawn rooms, of 120 | drawn hands, of 160 | all, of 1140 |
|---|---|---|---|---|
| score 0.5 (the detector's own) | 0 / 1 | 2 / 1 | 3 / 1 | 62 / 20 |
| score 0.35 | 3 / 3 | 7 / 8 | 17 / 15 | 193 / 112 |
| score 0.2 and presence 0.05 | 0 / 1 | 0 / 2 | 0 / 1 | 76 / 53 |

and of pictures with a 250 px face in a 720p room that no detector scores 0.5, shown by "0.5" and by "0.2 and
presence 0.05 as well": half of the face beyond the side edge 91 % and 14 %; two thirds beyond the lower edge
45 % and 5 %; a hand over eyes and nose 18 % and 0 %; overexposed 9 % and 0 %; a hand over the whole face 82 %
and 77 % (what is left shows little).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from doppel_models.detector import MIN_SCORE
from doppel_models.geometry import iou
from doppel_models.types import Detection, FloatArray

from doppel_worker.track import Measurement

FAINT_SCORE = 0.2
"""Detections from here on are looked at."""
_FAINT_PRESENCE = 0.05
_UNASKED_SCORE = 0.35
"""Where the landmark network was not asked, for want of time, this score is enough."""
_QUESTIONS = 2
"""Runs of the landmark network for one search."""
_ASK_AGAIN = 300_000_000
"""How long an answer about a place holds, nanoseconds: what looks like a face in a room stands still."""
_SAME_PLACE_IOU = 0.5


@dataclasses.dataclass(frozen=True, slots=True)
class _Answer:
    bbox: FloatArray
    is_face: bool
    at: int


class FaintFaces:
    """Judges the weak detections of one lane."""

    def __init__(self) -> None:
        self._answers: list[_Answer] = []

    def judge(
        self, detections: Sequence[Detection], now: int, measured: Callable[[Detection], Measurement]
    ) -> list[Detection]:
        """Those of the ``detections`` below the detector's limit that may be faces.

        Args:
            detections: with the best score first.
            now: nanoseconds of the tracker's clock.
            measured: runs the landmark network where a detection says.
        """
        self._answers = [one for one in self._answers if now - one.at < _ASK_AGAIN]
        hidden, questions = [], _QUESTIONS
        for detection in detections:
            if not FAINT_SCORE <= detection.score < MIN_SCORE:
                continue
            known = [one for one in self._answers if iou(one.bbox, detection.bbox) > _SAME_PLACE_IOU]
            if known:
                is_face = known[0].is_face
            elif questions:
                questions -= 1
                is_face = measured(detection).presence >= _FAINT_PRESENCE
                self._answers.append(_Answer(detection.bbox, is_face, now))
            else:
                is_face = detection.score >= _UNASKED_SCORE
            if is_face:
                hidden.append(detection)
        return hidden
