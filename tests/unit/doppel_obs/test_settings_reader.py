from __future__ import annotations

import dataclasses

import pytest
from doppel_ipc.settings import FIELDS, FilterSettings
from doppel_obs.settings_reader import parse
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.doppel_obs.english import words

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


def test_nothing_set_gives_the_defaults() -> None:
    assert parse({}) == (FilterSettings(), [])


def test_what_the_user_set_is_taken() -> None:
    settings, problems = parse({"strength": 0.25, "persona": "bronze", "label": False, "hold_ms": 0})

    assert settings == FilterSettings(strength=0.25, persona="bronze", label=False, hold_ms=0)
    assert problems == []


def test_keys_of_the_page_that_are_no_settings_are_left_out() -> None:
    assert parse({"add_path": "/x.png", "status": "old", "future_setting": 3}) == (FilterSettings(), [])


@pytest.mark.parametrize(
    ("key", "value", "used"),
    [
        ("strength", 7.0, 1.0),
        ("strength", -1, 0.0),
        ("hold_ms", 99999, 5000),
        ("strength", float("inf"), 1.0),
    ],
)
def test_a_number_out_of_range_is_clamped_and_said(key: str, value: float, used: float) -> None:
    settings, problems = parse({key: value})

    assert getattr(settings, key) == used
    assert len(problems) == 1
    assert key in words(problems[0])
    assert str(used) in words(problems[0])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("late_policy", "explode"),
        ("label", 1),
        ("hold_ms", 2.5),
        ("strength", float("nan")),
        ("persona", None),
        ("label_text", "x" * 2_000_000),
        ("hold_ms", "x" * 2_000_000),
        ("label_text", ["x"] * 100_000),
    ],
)
def test_what_makes_no_sense_takes_its_default_and_is_said(key: str, value: object) -> None:
    settings, problems = parse({key: value, "edge_softness": 0.75})

    assert settings == FilterSettings(edge_softness=0.75)
    assert len(problems) == 1
    assert key in words(problems[0])
    assert len(words(problems[0])) < 300


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)) | st.text(max_size=10), plain))
def test_any_data_gives_valid_settings(values: dict[str, object]) -> None:
    settings, problems = parse(values)

    assert FilterSettings.from_json(dataclasses.asdict(settings)) == settings
    assert len(problems) <= len(values)
