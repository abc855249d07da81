"""The settings table: every key, type and range, and the words of its errors."""

from __future__ import annotations

import dataclasses
import json
import math
import re

import pytest
from doppel_ipc.errors import SettingError
from doppel_ipc.settings import FIELDS, FilterSettings, Value, check_value, parse_value
from hypothesis import given
from hypothesis import strategies as st


def _values(key: str) -> st.SearchStrategy[Value]:
    field = FIELDS[key]
    low, high, choices = (field.metadata[name] for name in ("low", "high", "choices"))
    if choices:
        return st.sampled_from(choices)
    if isinstance(field.default, bool):
        return st.booleans()
    if isinstance(field.default, int):
        return st.integers(int(low), int(high))
    if isinstance(field.default, float):
        return st.floats(low, high)
    return st.text()


any_settings = st.fixed_dictionaries({key: _values(key) for key in FIELDS}).map(FilterSettings.from_json)


@given(any_settings)
def test_settings_survive_json(settings: FilterSettings) -> None:
    assert FilterSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


@given(any_settings)
def test_every_value_can_be_given_on_the_command_line(settings: FilterSettings) -> None:
    for key, value in settings.to_json().items():
        text = ("on" if value else "off") if isinstance(value, bool) else str(value)
        assert parse_value(key, text) == value


def test_every_default_is_valid_and_every_key_has_limits() -> None:
    for key, field in FIELDS.items():
        assert check_value(key, field.default) == field.default
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            assert field.metadata["low"] < field.metadata["high"], key


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        FilterSettings().strength = 0.5


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("nonsense", 1, "unknown setting 'nonsense'"),
        ("strength", 1.01, "strength: 1.01 is not within 0..1"),
        ("strength", -0.01, "is not within"),
        ("strength", math.nan, "is not within"),
        ("strength", 10**400, "out of range"),
        ("strength", True, "is bool, expected float"),
        ("strength", "1", "is str, expected float"),
        ("hold_ms", 1.0, "is float, expected int"),
        ("swap", 1, "is int, expected bool"),
        ("cover", "curtain", "is not one of mosaic, slate"),
        ("persona", None, "is NoneType, expected str"),
        ("label_text", "x" * 4097, "label_text: a text of 4097 characters, expected at most 4096"),
    ],
)
def test_a_bad_value_is_refused_with_its_reason(key: str, value: object, words: str) -> None:
    with pytest.raises(SettingError, match=re.escape(words)):
        FilterSettings.from_json({key: value})
    with pytest.raises(SettingError, match=re.escape(words)):
        FilterSettings().replace(**{key: value})


@pytest.mark.parametrize(
    ("key", "text"), [("label", "maybe"), ("strength", "much"), ("hold_ms", "0.5"), ("x", "1")]
)
def test_bad_text_is_refused(key: str, text: str) -> None:
    with pytest.raises(SettingError):
        parse_value(key, text)


def test_a_whole_number_is_taken_for_a_float() -> None:
    strength = FilterSettings().replace(strength=1).strength
    assert strength == 1.0
    assert isinstance(strength, float)


@pytest.mark.parametrize("key", ["engine", "enhancer", "occlusion"])
def test_a_model_is_named_by_its_name_or_its_file(key: str) -> None:
    for value in ("my ghost 2", "w600k_r50", "/models/a b.onnx", "C:\\models\\face.DFM", "Zoë", "0a1b2c"):
        assert check_value(key, value) == value


@pytest.mark.parametrize("key", ["engine", "enhancer", "occlusion"])
@pytest.mark.parametrize(
    "value", ["", " ", " x", "x ", "a\nb", "a\0.onnx", "/etc/passwd", "models/x.txt", "x" * 90, "../x.pkl"]
)
def test_what_names_no_model_is_refused(key: str, value: str) -> None:
    with pytest.raises(SettingError, match=r"stored model.*\.onnx or \.dfm"):
        check_value(key, value)


def test_a_device_is_named_as_it_is_listed() -> None:
    for value in ("auto", "cpu", "cuda:0", "cuda", "directml:1", "openvino:12", "coreml"):
        assert check_value("device", value) == value
    for value in ("gpu", "cuda:", "cuda:x", "cuda:100", "cpu:0", "", "cuda:0\n", "/dev/nvidia0"):
        with pytest.raises(SettingError, match="not one of auto, cpu, and no device's name such as cuda:0"):
            check_value("device", value)


def test_settings_without_models_take_their_choices_alone() -> None:
    with pytest.raises(SettingError, match="not one of mosaic, slate"):
        check_value("cover", "model.onnx")
