import numpy as np
import pytest
from doppel_worker.contact_sheet import Row, draw_sheet, fitted
from doppel_worker.errors import FrameError


def _flat(color: tuple[int, int, int], height: int = 90, width: int = 160) -> np.ndarray:
    return np.full((height, width, 3), color, np.uint8)


def _has(region: np.ndarray, color: tuple[int, int, int]) -> bool:
    return bool((np.abs(region.astype(int) - color).max(axis=2) <= 2).mean() > 0.7)


def test_pictures_stand_in_rows_and_columns() -> None:
    red, green, blue, white = (200, 20, 20), (20, 200, 20), (20, 20, 200), (230, 230, 230)
    rows = [Row("before", [_flat(red), _flat(green)]), Row("after", [_flat(blue), _flat(white)], ["a", "b"])]
    sheet = draw_sheet(rows, cell_width=160)
    half_height, half_width = 4 + 90 + 2, sheet.shape[1] // 2
    assert _has(sheet[4:94, 4:164], red)
    assert _has(sheet[4:94, half_width + 2 : -4], green)
    assert _has(sheet[half_height + 2 : half_height + 92, 4:164], blue)
    assert _has(sheet[half_height + 2 : half_height + 92, half_width + 2 : -4], white)


def test_label_and_captions_are_written() -> None:
    plain = draw_sheet([Row("", [_flat((90, 90, 90))], [""])], 160)
    written = draw_sheet([Row("after", [_flat((90, 90, 90))], ["1.5 s"])], 160)
    changed = (plain != written).any(axis=2)
    assert changed[:40].sum() > 50  # the label, on the picture
    assert changed[95:].sum() > 30  # the caption, below it


def test_other_aspects_are_fitted_not_stretched() -> None:
    tall = _flat((200, 20, 20), 200, 100)
    cell = fitted(tall, 160, 90)
    reds = (cell == (200, 20, 20)).all(axis=2)
    assert reds.any(axis=1).all()
    assert reds.any(axis=0).sum() == 45


def test_rows_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(FrameError, match="at least one"):
        draw_sheet([])
    with pytest.raises(FrameError, match="after"):
        draw_sheet([Row("before", [_flat((0, 0, 0))] * 2), Row("after", [_flat((0, 0, 0))])])
