from __future__ import annotations

import tracemalloc

from doppel_ipc import gate_abi
from doppel_obs.lane_stats import ALL_SAMPLES, MOST_CLOSED, MOST_NAMES, LaneBook, LaneStats, format_name


def status(**counts: int) -> gate_abi.Status:
    return gate_abi.Status(**counts)


def samples(*total_ms: float) -> list[gate_abi.Sample]:
    return [
        gate_abi.Sample(total_ns=round(ms * 1e6), copy_ns=round(ms * 5e5), delay_ns=66_000_000)
        for ms in total_ms
    ]


def test_counts_since_the_first_swap_leave_the_start_out() -> None:
    stats = LaneStats("Camera", "Face Swap")
    stats.look(status(frames_in=30, covered=30), samples(5.0), "ann")
    assert set(stats.to_json()["frames_since_swap"].values()) == {0}

    stats.look(status(frames_in=32, covered=31, swapped=1, first_swapped_ns=99), samples(0.2), "ann")
    stats.look(status(frames_in=40, covered=31, swapped=8, held=1, first_swapped_ns=99), samples(0.4), "ann")
    data = stats.to_json()
    assert data["frames"] == {
        "in": 40,
        "swapped": 8,
        "held": 1,
        "covered": 31,
        "blurred": 0,
        "no_face": 0,
        "original": 0,
        "dropped": 0,
    }
    assert data["frames_since_swap"] == {
        "in": 10,
        "swapped": 8,
        "held": 1,
        "covered": 1,
        "blurred": 0,
        "no_face": 0,
        "original": 0,
        "dropped": 0,
    }
    assert data["graphics_ms"] == {"p50": 0.2, "p99": 0.4}
    assert data["copies_ms"] == {"p50": 0.1, "p99": 0.2}
    assert data["delay_ms"] == {"p50": 66.0, "p95": 66.0, "p99": 66.0}


def test_what_is_not_known_is_null() -> None:
    data = LaneStats("Camera", "Face Swap").to_json()

    for key in ("width", "height", "pixel_format", "first_frame_ns", "first_swapped_ns", "delay_frames"):
        assert data[key] is None
    assert data["graphics_ms"] == {"p50": None, "p99": None}


def test_percentiles_are_of_the_latest_frames() -> None:
    stats = LaneStats("Camera", "Face Swap")
    stats.look(status(first_swapped_ns=1), samples(*[9.0] * ALL_SAMPLES), "ann")
    stats.look(status(first_swapped_ns=1), samples(*[1.0] * ALL_SAMPLES), "ann")

    assert stats.to_json()["graphics_ms"] == {"p50": 1.0, "p99": 1.0}


def test_a_filter_that_is_gone_keeps_its_figures() -> None:
    stats = LaneStats("Camera", "Face Swap")
    stats.look(status(frames_in=9, first_swapped_ns=1), samples(1.0, 2.0, 3.0), "ann")
    before = stats.to_json()
    stats.close()

    assert stats.to_json() == {**before, "state": "Gone."}


def add_and_remove(book: LaneBook, filters: int) -> None:
    for number in range(filters):
        stats = LaneStats("Camera", f"Filter {number}")
        book.add(stats)
        stats.look(status(frames_in=number, first_swapped_ns=1), samples(*[2.0] * 50), "ann")
        book.close(stats)


def test_filters_added_and_removed_again_and_again_cost_no_memory() -> None:
    book = LaneBook(keep_closed=True)
    living = LaneStats("Camera", "lives")
    book.add(living)
    add_and_remove(book, MOST_CLOSED)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        add_and_remove(book, 3 * MOST_CLOSED)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    names = [stats.name for stats in book.lanes()]
    assert names == ["lives", *(f"Filter {number}" for number in range(2 * MOST_CLOSED, 3 * MOST_CLOSED))]
    # The 200 that are kept now were made while memory was traced: some 5 KB each, 0.5 MB by their samples.
    assert after - before < MOST_CLOSED * 12_000


def test_where_nobody_asks_for_figures_filters_that_are_gone_are_forgotten() -> None:
    book = LaneBook(keep_closed=False)
    add_and_remove(book, 10)

    assert book.lanes() == []


def test_formats_are_named_also_those_that_are_covered() -> None:
    assert format_name(0) is None
    assert format_name(2) == "NV12"
    assert format_name(18) == "P010"
    assert format_name(77) == "number 77"


def test_a_renamed_filter_is_told_by_its_new_names_and_the_old_ones_are_remembered() -> None:
    stats = LaneStats("Camera", "Face Swap")
    stats.rename("Webcam", "Face Swap")
    assert (stats.to_json()["source"], stats.to_json()["filter"]) == ("Webcam", "Face Swap")
    assert set(stats.names) == {"Camera", "Webcam", "Face Swap"}


def test_of_many_names_the_last_ones_are_remembered() -> None:
    stats = LaneStats("Camera", "Face Swap")
    for number in range(1000):
        stats.rename(f"Camera {number}", "Face Swap")
    assert len(stats.names) == MOST_NAMES
    assert {"Face Swap", "Camera 999", "Camera 960"} <= set(stats.names)
