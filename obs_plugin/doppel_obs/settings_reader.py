"""A filter's settings, out of OBS's data.

What OBS holds may come from an older or newer Doppel, another tool or a hand-edited file. A value that is
not valid is replaced by the default, and said; it never stops the filter.
"""

from __future__ import annotations

import json
import math
from typing import Mapping

from doppel_ipc.errors import SettingError
from doppel_ipc.settings import FIELDS, FilterSettings, Value, check_value

from doppel_obs.libobs import Handle, Libobs, text_of
from doppel_obs.phrases import Phrase, phrase


def read_json(libobs: Libobs, source: Handle) -> dict[str, object]:
    """What the user set on a filter, as plain values; keys at their default are missing.

    The data is copied first: the text of ``obs_data_get_json`` belongs to the data, and another thread that
    asks the same data for it would free ours.
    """
    settings = libobs.obs_source_get_settings(source)
    copy = libobs.obs_data_create()
    try:
        libobs.obs_data_apply(copy, settings)
        loaded = json.loads(text_of(libobs.obs_data_get_json(copy)) or "{}")
    finally:
        libobs.obs_data_release(copy)
        libobs.obs_data_release(settings)
    return loaded if isinstance(loaded, dict) else {}


def parse(values: Mapping[str, object]) -> tuple[FilterSettings, list[Phrase]]:
    """Settings from plain values, and a sentence for each value that was not usable.

    Numbers out of range are clamped; anything else that is not valid takes its default. Keys that are no
    settings are the property page's own and are left out.
    """
    good: dict[str, Value] = {}
    problems: list[Phrase] = []
    for key, value in values.items():
        if key not in FIELDS:
            continue
        try:
            good[key] = check_value(key, value)
        except SettingError as error:
            clamped = _clamped(key, value)
            if clamped is not None:
                good[key] = clamped
            used = _shown(good.get(key, FIELDS[key].default))
            problems.append(phrase("setting-not-usable", problem=str(error), used=used))
    return FilterSettings().replace(**good), problems


def _clamped(key: str, value: object) -> Value | None:
    field = FIELDS[key]
    kind = type(field.default)
    if kind not in (int, float) or isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    low, high = field.metadata["low"], field.metadata["high"]
    # NaN, or what is no whole number where one is needed.
    if value != value or (kind is int and not (math.isfinite(value) and value == int(value))):
        return None
    limited = min(max(value, low if low is not None else value), high if high is not None else value)
    checked: Value = check_value(key, kind(limited))
    return checked


def _shown(value: object) -> str:
    return json.dumps(value)
