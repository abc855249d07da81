"""What stands on the property page, in order: every setting of the filter once, in groups.

A setting's kind of control follows from its type and limits in :mod:`doppel_ipc.settings`; its words are in
the language tables (``setting.KEY``, ``setting.KEY.tip``, ``choice.KEY.VALUE``).
"""

from __future__ import annotations

import dataclasses
from typing import Callable

from doppel_ipc.settings import PERSONS

SHOW_ADVANCED = "show_advanced"
"""Key of the box that shows rarely needed settings; it is no setting of the swap."""


ADVANCED_ROWS = ("add_more",)
"""Rows that are no settings, and seen only with :data:`SHOW_ADVANCED`."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One setting on the page."""

    key: str
    advanced: bool = False
    """Seen only with :data:`SHOW_ADVANCED`."""
    needs: tuple[str, ...] = ()
    """(another setting, its values ...): seen only while that has one of them; a switch's are "on", "off"."""
    needs_too: tuple[str, ...] = ()
    """A second such condition."""
    unless: str = ""
    """Seen too, whatever it needs, while it has another value than this."""
    step: float = 0.01
    """Of a slider of fractions."""
    unit: str = ""
    """Stands behind the number."""


@dataclasses.dataclass(frozen=True)
class Group:
    """Rows under one heading, ``group.KEY`` of the language tables."""

    key: str
    rows: tuple[Row, ...]


FACE = Group("face", (Row("persona"), Row("swap")))


def _person(number: int) -> tuple[Row, ...]:
    """One further person: who, by which picture, and what becomes of their face."""
    key = f"person{number}"
    is_somebody = (f"{key}_who", "!nobody")
    before = (f"person{number - 1}_who", "!nobody") if number > PERSONS[0] else ()
    return (
        Row(f"{key}_who", needs=before, unless="nobody"),
        Row(f"{key}_picture", needs=(f"{key}_who", "picture")),
        Row(f"{key}_becomes", needs=is_somebody),
        Row(f"{key}_persona", needs=is_somebody, needs_too=(f"{key}_becomes", "persona")),
    )


PEOPLE = Group("people", tuple(row for number in PERSONS for row in _person(number)))
LOOK = Group(
    "look",
    (
        Row("engine"),
        Row("strength"),
        Row("color_match"),
        Row("edge_softness"),
        Row("sharpness"),
        Row("keep_mouth"),
        Row("keep_eyes"),
        Row("proportions", advanced=True),
        Row("enhancer"),
        Row("enhancer_strength", needs=("enhancer", "!none")),
        Row("identity_weight", advanced=True),
        Row("morph", advanced=True),
        Row("pixel_boost", advanced=True, unit=" x"),
        Row("occlusion", advanced=True),
    ),
)
TRACKING = Group(
    "tracking",
    (
        Row("faces"),
        Row("others", needs=("faces", "named")),
        Row("max_faces", needs=("faces", "all", "named")),
        Row("smoothing"),
        Row("min_face_px", advanced=True, unit=" px"),
        Row("redetect_ms", advanced=True, unit=" ms"),
        Row("yaw_fade_start", advanced=True, step=1.0, unit=" °"),
        Row("yaw_fade_end", advanced=True, step=1.0, unit=" °"),
    ),
)
TIMING = Group("timing", (Row("sound_sync"), Row("sound_source", needs=("sound_sync", "on"))))
SAFETY = Group(
    "safety",
    (
        Row("cover"),
        Row("slate_image", needs=("cover", "slate")),
        Row("late_policy"),
        Row("hold_ms", advanced=True, needs=("late_policy", "hold"), unit=" ms"),
        Row("lost_face_policy"),
        Row("lost_face_ms", advanced=True, unit=" ms"),
        Row("side_face_policy"),
        Row("no_face_policy", advanced=True),
    ),
)
LABEL = Group(
    "label",
    (
        Row("label"),
        Row("label_text", needs=("label", "on")),
        Row("label_corner", needs=("label", "on")),
        Row("label_size", needs=("label", "on"), step=0.005),
    ),
)
DEVICE = Group("device", (Row("device"),))

GROUPS = (FACE, PEOPLE, LOOK, TRACKING, TIMING, SAFETY, LABEL, DEVICE)
ROWS: dict[str, Row] = {row.key: row for group in GROUPS for row in group.rows}
LOOK_KEYS = frozenset(row.key for row in LOOK.rows)
"""What a saved look holds: nothing that covers, discloses or chooses a face."""
SWITCHING = frozenset(
    {SHOW_ADVANCED, *(one[0] for row in ROWS.values() for one in (row.needs, row.needs_too) if one)}
)
"""Keys on whose values it depends which rows are seen."""


def is_seen(row: Row, value_of: Callable[[str], str], *, advanced: bool) -> bool:
    """Whether a row is seen.

    Args:
        row: the row.
        value_of: the present value of a setting as text; "on" or "off" of a switch.
        advanced: rarely needed settings are shown.
    """
    if row.advanced and not advanced:
        return False
    if row.unless and value_of(row.key) != row.unless:
        return True
    return _is_met(row.needs, value_of) and _is_met(row.needs_too, value_of)


def _is_met(needs: tuple[str, ...], value_of: Callable[[str], str]) -> bool:
    if not needs:
        return True
    value = value_of(needs[0])
    return any(value != wanted[1:] if wanted.startswith("!") else value == wanted for wanted in needs[1:])
