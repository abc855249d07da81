"""What is told of what the worker says."""

from __future__ import annotations

from doppel_ipc.messages import Error
from doppel_obs.phrases import Phrase
from doppel_obs.worker_news import WorkerNews


def warned(message: Error) -> list[str]:
    """The warnings that a message leads to where no filter lives."""
    told: list[str] = []

    def warn(text: str, _instead: Phrase | None) -> None:
        told.append(text)

    WorkerNews({}, lambda _filter_id: None, lambda _text, _instead: None, warn).take(message)
    return told


def test_a_filter_that_went_while_its_lane_was_being_opened_is_no_warning() -> None:
    assert warned(Error(5, "segment", "the segment cannot be opened", "restart OBS")) == []


def test_any_other_error_is_a_warning_with_its_advice() -> None:
    assert warned(Error(5, "internal", "the lane failed", "restart OBS")) == ["the lane failed; restart OBS"]
