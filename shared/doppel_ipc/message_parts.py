"""What control messages are made of: limits, words and the objects inside them."""

from __future__ import annotations

import dataclasses

from doppel_ipc.codec import integer, items, number, text, wire, word
from doppel_ipc.said import said
from doppel_ipc.segment import KINDS, MAX_BYTES

ALL_LANES = 0
"""Where a message may mean one lane or all: all (or none in particular)."""
ID_MAX = 2**53 - 1
"""Exact in every JSON reader."""
LANE = integer(1, ID_MAX)
LANE_OR_ALL = integer(ALL_LANES, ID_MAX)
NAME = text(200)
PATH = text(4096, empty=False)
LONG = text(4000)
SAID = said(4000)
"""Told to the user: a text, or a sentence that can be said in other languages."""
SAID_NAME = said(200)
MOST_WARNINGS = 20

CONSENT_GROUNDS = ("own", "permission", "public-domain", "synthetic")
LOG_LEVELS = ("debug", "info", "warning", "error")
WORKER_STATES = ("loading", "ready", "failed")
LANE_STATES = ("loading", "running", "failed")
ERROR_CODES = ("segment", "settings", "persona", "slate", "model", "device", "internal")
EVENT_CODES = ("fallback", "persona")
MODEL_ROLES = ("engine", "enhancer", "occlusion")


@dataclasses.dataclass(frozen=True)
class Segment:
    """How the worker finds a lane's memory; see :class:`doppel_ipc.segment.SegmentDescriptor`."""

    kind: str = wire(word(*KINDS))
    name: str = wire(PATH)
    bytes: int = wire(integer(1, MAX_BYTES))
    inode: int = wire(integer(0, (1 << 63) - 1), default=0)


@dataclasses.dataclass(frozen=True)
class Consent:
    """Why this face may be used: the consent record of a persona."""

    ground: str = wire(word(*CONSENT_GROUNDS))
    who: str = wire(text(200, empty=False))
    """Who says so."""
    when: str = wire(text(40, empty=False))
    """ISO 8601 date and time."""


@dataclasses.dataclass(frozen=True)
class PersonaInfo:
    """What the persona drop-down shows."""

    id: str = wire(text(200, empty=False))
    name: str = wire(NAME)
    kind: str = wire(text(40, empty=False))
    warnings: tuple[str, ...] = wire(items(LONG, MOST_WARNINGS))
    picture: str = wire(text(4096))
    """Path of a picture of it; empty: there is none."""


@dataclasses.dataclass(frozen=True)
class DeviceInfo:
    """One line of the device list."""

    id: str = wire(text(40, empty=False))
    """As the setting ``device`` names it."""
    name: str = wire(NAME)
    memory_mb: int = wire(integer(0, 2**31))
    """Its own memory; 0: not known."""


@dataclasses.dataclass(frozen=True)
class ModelInfo:
    """A model file that the user has added."""

    name: str = wire(text(200, empty=False))
    role: str = wire(word(*MODEL_ROLES))
    """The setting that may name it."""


@dataclasses.dataclass(frozen=True)
class StageTime:
    """How long one stage of the pipeline took lately, milliseconds."""

    name: str = wire(text(40, empty=False))
    p50: float = wire(number(0, 1e6))
    p95: float = wire(number(0, 1e6))
