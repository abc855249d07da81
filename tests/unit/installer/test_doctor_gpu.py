from __future__ import annotations

import pytest

from installer import doctor


@pytest.mark.parametrize(
    ("driver", "flavor", "told", "todo"),
    [
        (None, "cpu", "no NVIDIA driver", ""),
        (535, "cpu", "driver 535 is too old", "install driver 580 or later"),
        (580, "cpu", "x86-64 alone", ""),
        (590, "gpu", "NVIDIA driver 590", ""),
    ],
)
def test_the_driver_is_told_and_why_it_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, driver: int | None, flavor: str, told: str, todo: str
) -> None:
    monkeypatch.setattr(doctor, "nvidia_driver", lambda: driver)
    monkeypatch.setattr(doctor, "flavor", lambda _driver: flavor)
    (finding,) = doctor._gpu()
    assert told in finding.detail
    assert finding.todo == todo
