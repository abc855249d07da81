"""Which weak detections are hidden, by scripted answers of the landmark network."""

from __future__ import annotations

import numpy as np
from doppel_models.types import Detection
from doppel_worker.faint_faces import FaintFaces
from doppel_worker.track import Measurement

MS = 1_000_000


def detection(score: float, x: float = 100.0) -> Detection:
    return Detection(np.array([x, 50, x + 60, 110], np.float32), np.zeros((6, 2), np.float32), score)


class Network:
    """Says for each place whether a face is there, and counts how often it was asked."""

    def __init__(self, **presence: float) -> None:
        self.presence = {float(name[1:]): value for name, value in presence.items()}
        self.asked = 0

    def __call__(self, one: Detection) -> Measurement:
        self.asked += 1
        points = np.zeros((478, 3), np.float32)
        return Measurement(
            points, one.bbox, self.presence[float(one.bbox[0])], np.zeros((117, 3), np.float32)
        )


def test_what_the_landmark_network_takes_for_a_face_is_hidden_and_the_rest_is_not() -> None:
    face, chair = detection(0.3, 100), detection(0.3, 400)
    network = Network(x100=0.3, x400=0.001)
    assert FaintFaces().judge([face, chair], 0, network) == [face]


def test_sure_faces_and_hardly_any_are_not_asked_about() -> None:
    network = Network()
    assert FaintFaces().judge([detection(0.6), detection(0.1)], 0, network) == []
    assert network.asked == 0


def test_what_stands_still_is_asked_about_only_now_and_then() -> None:
    faint, network = FaintFaces(), Network(x100=0.0)
    for index in range(30):
        faint.judge([detection(0.3)], index * 33 * MS, network)
    assert 3 <= network.asked <= 5


def test_a_face_that_comes_where_a_chair_was_is_noticed() -> None:
    faint, network = FaintFaces(), Network(x100=0.0)
    faint.judge([detection(0.3)], 0, network)
    network.presence[100.0] = 0.9
    assert len(faint.judge([detection(0.3)], 400 * MS, network)) == 1


def test_where_there_is_no_time_to_ask_a_higher_score_is_enough() -> None:
    many = [detection(0.45 - 0.05 * index, 100.0 * index) for index in range(5)]
    network = Network(x0=0.0, x100=0.0)
    faint = FaintFaces()
    assert faint.judge(many, 0, network) == [many[2]]
    assert network.asked == 2
