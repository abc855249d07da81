from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from doppel_ipc import gate_abi, gate_sync_abi
from doppel_ipc.messages import LaneStatus, Status
from doppel_ipc.said import Said
from doppel_ipc.settings import FilterSettings
from doppel_obs.language import sentence
from doppel_obs.phrases import phrase, verbatim
from doppel_obs.status_line import (
    MEASURE_NS,
    Situation,
    StatusLine,
    full_lines,
    state_of,
)

from tests.unit.doppel_obs.english import ENGLISH, lines, words

SOUND, NO_GPU = verbatim("The sound is not delayed."), verbatim("No GPU.")


def lane(**changes: Any) -> LaneStatus:
    running = LaneStatus(
        lane=1,
        state="running",
        serial=1,
        persona="ann",
        engine="mesh",
        provider="CPUExecutionProvider",
        fps=29.96,
        turnaround_ms_p50=14.2,
        turnaround_ms_p95=18.0,
        stages=(),
        faces=1,
        frames=100,
        given_back=0,
        detail="",
    )
    return dataclasses.replace(running, **changes)


def situation(**changes: Any) -> Situation:
    gate = gate_abi.Status(delay_frames=2, frame_interval_ns=33_333_333)
    gate.geometry.width = 1280
    swapping = Situation(
        settings=FilterSettings(persona="ann"),
        gate=gate,
        enabled=True,
        panic=False,
        original_held=False,
        worker_running=True,
        worker=Status("ready", "cpu", "CPUExecutionProvider", "mesh", 300.0, ""),
        lane_open=True,
        lane=lane(),
        persona_names={"ann": "Ann's portrait"},
        notes=(),
    )
    return dataclasses.replace(swapping, **changes)


def shown(now: Situation) -> str:
    return words(*full_lines(now, "12:34:56", measured=True))


MEASURING = words(phrase("status.measuring"))


def test_a_filter_that_swaps_says_whom_with_what_and_how_late() -> None:
    assert shown(situation()).splitlines() == [
        "Swapping: Ann's portrait.",
        "At 12:34:56: cpu (CPUExecutionProvider), 30.0 fps, 14 ms a frame, delay 2 frames (67 ms).",
    ]


def test_results_that_come_too_late_again_and_again_are_told_with_the_figures() -> None:
    text = shown(situation(late=True)).splitlines()
    assert text[0].startswith("Covered again and again: the computer is too slow")
    assert "30.0 fps, 14 ms a frame" in text[1]


def test_originals_in_the_place_of_late_results_are_told_as_such() -> None:
    text = shown(situation(late=True, settings=FilterSettings(persona="ann", late_policy="original")))
    assert text.startswith(
        "NOT covered, the ORIGINAL is shown, as chosen under Safety. The computer is too slow"
    )


def test_frames_that_are_left_out_for_obs_are_told_beside_the_figures() -> None:
    assert "one of 4 frames is swapped" in shown(situation(one_of=4))
    assert "one of 4" not in shown(situation(one_of=4, enabled=False))


def test_the_line_finds_out_itself_that_results_come_too_late() -> None:
    line, now = StatusLine(), situation()
    for number in range(20):
        now.gate.frames_in, now.gate.covered = 10 * number, 5 * number
        line.look(number * MEASURE_NS, now)
    assert line.state() == phrase("status.late")


def test_the_state_does_not_change_with_the_figures() -> None:
    assert state_of(situation()) == state_of(situation(lane=lane(fps=12.0, turnaround_ms_p50=80.0)))


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"enabled": False}, "Off:"),
        ({"panic": True}, "Covered: the panic hotkey"),
        ({"settings": FilterSettings(swap=False)}, "Paused: the original"),
        ({"gate": gate_abi.Status()}, "Waiting for the source"),
        ({"settings": FilterSettings(persona="")}, "Covered: choose a face"),
        ({"worker_running": False}, "Covered: the worker is not running"),
        (
            {"worker": Status("failed", "", "", "", 0.0, "No networks.")},
            "Covered: the worker cannot work. No networks",
        ),
        ({"lane": None}, "Covered: the worker is starting"),
        ({"lane_open": False}, "Covered: the worker is starting"),
        ({"lane": lane(state="failed", detail="This face is broken.")}, "Covered: This face is broken."),
        ({"lane": lane(persona="")}, "Covered: the face is being prepared"),
    ],
)
def test_every_state_but_swapping_says_what_is_shown_instead(changes: dict[str, Any], start: str) -> None:
    text = shown(situation(**changes))

    assert text.startswith(start)
    assert "fps" not in text


@pytest.mark.parametrize(
    "changes",
    [
        {"worker_running": False},
        {"worker": Status("failed", "", "", "", 0.0, "No networks.")},
        {"lane": None},
        {"gate": gate_abi.Status(unsupported_format=18)},
        {"gate": gate_abi.Status(unsupported_format=gate_sync_abi.UNSUPPORTED_HDR)},
    ],
)
def test_where_the_user_has_missing_results_shown_as_filmed_nothing_is_called_covered(
    changes: dict[str, Any],
) -> None:
    said = shown(situation(**changes, settings=FilterSettings(late_policy="original")))

    assert said.startswith("NOT covered, the ORIGINAL is shown")
    assert "Covered" not in said
    assert shown(situation(**changes)).startswith("Covered: ")


def test_a_panic_covers_also_there() -> None:
    now = situation(panic=True, worker_running=False, settings=FilterSettings(late_policy="original"))
    assert shown(now).startswith("Covered: ")


def test_a_format_that_is_not_supported_is_named_with_what_to_set_instead() -> None:
    gate = gate_abi.Status(unsupported_format=18)
    gate.geometry.width = 1280

    text = words(state_of(situation(gate=gate)))
    assert "P010" in text
    assert "NV12" in text


@pytest.mark.parametrize(
    ("number", "said"),
    [(gate_sync_abi.UNSUPPORTED_HDR, "dynamic range"), (gate_sync_abi.UNSUPPORTED_SIZE, "too large")],
)
def test_what_a_drawn_source_cannot_be_is_said_with_what_to_do(number: int, said: str) -> None:
    text = words(state_of(situation(gate=gate_abi.Status(unsupported_format=number))))
    assert text.startswith("Covered")
    assert said in text
    assert str(number) not in text


def test_a_filter_that_leaves_the_work_to_another_says_so_while_it_is_on() -> None:
    gate = gate_abi.Status(passes_on=1)
    assert "Remove one of the two" in shown(situation(gate=gate))
    assert "Remove one" not in shown(situation(gate=gate, enabled=False))


def test_notes_follow_the_state() -> None:
    assert shown(situation(notes=(SOUND,))).endswith("The sound is not delayed.")


def test_a_filter_after_ours_is_to_be_moved_above() -> None:
    gate = gate_abi.Status(filters_after=1)
    gate.geometry.width = 1280

    assert "Move it above Face Swap" in shown(situation(gate=gate))
    assert "Move it" not in shown(situation(gate=gate, enabled=False))
    assert "Move it" not in shown(situation())


def test_figures_are_shown_only_when_they_speak_of_swapping_alone() -> None:
    line = StatusLine()
    line.look(1, situation(lane=lane(persona="")))
    line.look(2, situation())
    assert line.text(ENGLISH) == f"Swapping: Ann's portrait.\n{MEASURING}"
    line.look(2 + MEASURE_NS, situation())
    assert "30.0 fps" in line.text(ENGLISH)
    # A pause's frames were not swapped: it begins anew.
    line.look(3 + MEASURE_NS, situation(panic=True))
    line.look(4 + MEASURE_NS, situation())
    assert "fps" not in line.text(ENGLISH)


def test_the_log_hears_the_state_each_time_and_a_note_once() -> None:
    line = StatusLine()
    line.look(1, situation(notes=(SOUND,)))
    assert lines(line.news()) == ["Swapping: Ann's portrait.", "The sound is not delayed."]
    line.look(2, situation(panic=True, notes=(SOUND, NO_GPU)))
    assert lines(line.news())[1:] == ["No GPU."]
    line.look(3, situation())
    assert words(*line.news()) == "Swapping: Ann's portrait."
    line.look(4, situation(notes=(NO_GPU,)))
    assert lines(line.news())[1:] == ["No GPU."], "it went and came back"


def test_one_frame_is_no_plural() -> None:
    gate = gate_abi.Status(delay_frames=1, frame_interval_ns=33_333_333)
    gate.geometry.width = 1280
    assert "delay 1 frame (33 ms)" in shown(situation(gate=gate))


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a name", "A name."),
        ("A name.", "A name."),
        ("face.png is dark", "face.png is dark."),
        ("is it?", "Is it?"),
    ],
)
def test_texts_become_sentences(text: str, made: str) -> None:
    assert sentence(text) == made


def test_what_the_worker_adds_is_a_sentence() -> None:
    assert shown(situation(lane=lane(detail="preparing Bob"))).splitlines()[2] == "Preparing Bob."


@pytest.mark.parametrize(("persona", "is_said"), [("bob", True), ("ann", False)])
def test_a_face_that_is_worn_is_no_longer_said_to_be_prepared(persona: str, is_said: bool) -> None:
    detail = Said(f"preparing {persona}", "persona.preparing", [("persona", persona)])
    assert (f"Preparing {persona}." in shown(situation(lane=lane(detail=detail)))) is is_said
