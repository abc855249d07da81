from __future__ import annotations

import io

import pytest
from doppel_worker.cli.bench_report import rate, report_lines
from rich.console import Console


def case(height: int, face_px: int, pipeline_ms: float) -> dict[str, object]:
    return {
        "width": height * 16 // 9,
        "height": height,
        "face_px": face_px,
        "frames": 150,
        "swapped": 149,
        "landmark_network_ms": 2.0,
        "pipeline_ms": pipeline_ms,
        "ratio": pipeline_ms / 2,
        "ratio_mean": 3.0,
        "networks_ms": 3.0,
        "beside_networks_ms": 4.0,
        "beside_networks_min_ms": 3.5,
        "stage_ms": {"networks": 3.0, "track": 0.5, "paste": 0.25},
    }


WAYS = {
    "lean_way_ms": 5.0,
    "of_lean_way": 0.8,
    "of_lean_way_min": 0.77,
    "plain_way_ms": 104.57,
    "of_plain_way": 0.04,
}
RESULTS: dict[str, object] = {
    "mesh_a": case(720, 300, 7.0),
    "mesh_b": case(1080, 600, 20.0),
    "mesh_c": case(1080, 200, 19.0),
    "mesh_d": case(1080, 400, 18.0),
    "crop_e": case(1080, 200, 17.0),
    "crop_f": case(1080, 400, 16.0) | WAYS,
    "crop_g": case(1080, 600, 15.0),
    "memory_mb": 210.5,
    "budgets": {"mesh_a.ratio": 2.2},
}


def printed(width: int) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    for line in report_lines(RESULTS):
        console.print(line, soft_wrap=True)
    return out.getvalue().splitlines()


def test_the_first_line_says_how_fast_this_machine_is() -> None:
    first = "This machine swaps about 143 pictures a second at 720p (7.0 ms each, on one processor core)."
    assert printed(80)[0] == first


def test_the_tables_are_whole_in_a_terminal_of_80_columns() -> None:
    text = "\n".join(printed(80))
    assert "…" not in text
    assert "{" not in text
    row = next(line for line in printed(80) if "600 px" in line and "149/150" in line)
    for figure in ("1080p", "20.00", "3.00", "4.00", "3.50", "10.00"):
        assert figure in row
    assert "ratio      a picture's time over" in text
    assert max(map(len, printed(80)[1:])) <= 80
    assert "Memory: 210.5 MB." in text


def test_the_other_ways_stand_beside_the_engine_that_they_were_measured_with() -> None:
    rows = [line for line in printed(80) if "104.57" in line]
    assert len(rows) == 1
    for figure in ("1080p", "400 px", "4.00", "5.00", "0.80", "0.77", "0.04"):
        assert figure in rows[0]


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(333.0, "3.0"), (21.3, "47"), (7.0, "143"), (10.2, "98")]
)
def test_rates_are_as_exact_as_they_can_be(milliseconds: float, words: str) -> None:
    assert rate(milliseconds) == words
