"""The messages of OBS to the worker; :mod:`doppel_ipc.messages` has them all."""
# ruff: noqa: RUF009 - wire() makes a dataclasses.field

from __future__ import annotations

import dataclasses

from doppel_ipc import codec
from doppel_ipc.codec import flag, integer, items, nested, wire, word
from doppel_ipc.message_parts import (
    ID_MAX,
    LANE,
    LANE_OR_ALL,
    LOG_LEVELS,
    NAME,
    PATH,
    Consent,
    Segment,
)
from doppel_ipc.settings import FilterSettings


@dataclasses.dataclass(frozen=True)
class Hello:
    """The first message: who we are and where things lie."""

    version: int = wire(integer(1, ID_MAX))
    native_library: str = wire(PATH)
    persona_dir: str = wire(PATH)
    log_dir: str = wire(PATH)
    log_level: str = wire(word(*LOG_LEVELS))


@dataclasses.dataclass(frozen=True)
class OpenLane:
    """A filter has a segment, already attached to the gate: start to serve it."""

    lane: int = wire(LANE)
    """Larger than every lane before, in the worker's life."""
    name: str = wire(NAME)
    """Of the filter's source, for the log."""
    segment: Segment = wire(nested(Segment))
    serial: int = wire(integer(0, ID_MAX))
    """Of these settings; the lane's status says which it uses."""
    settings: FilterSettings = wire(codec.settings)
    face_lately: bool = wire(flag, default=False)
    """The last judged frames of the filter had a face in them: one that is not found may be half hidden."""


@dataclasses.dataclass(frozen=True)
class CloseLane:
    """The filter is gone or has another segment: let this one go."""

    lane: int = wire(LANE)


@dataclasses.dataclass(frozen=True)
class Settings:
    """The filter's settings changed. They hold from the next frame on, all at once."""

    lane: int = wire(LANE)
    serial: int = wire(integer(0, ID_MAX))
    settings: FilterSettings = wire(codec.settings)


@dataclasses.dataclass(frozen=True)
class Prepare:
    """A lane with such settings may be opened soon: make ready what takes long, such as the persona."""

    settings: FilterSettings = wire(codec.settings)


@dataclasses.dataclass(frozen=True)
class AddPersona:
    """Make a persona of one or more photos of one face, or of a model file, or keep a model file."""

    request: int = wire(integer(1, ID_MAX))
    """Larger than every request before."""
    photos: tuple[str, ...] = wire(items(PATH, 16, least=1))
    name: str = wire(NAME)
    """Empty: the worker makes one of the first photo's name."""
    consent: Consent = wire(nested(Consent))
    licence: bool = wire(flag)
    """The licence of a model file is accepted; without that, the answer's error shows it."""


@dataclasses.dataclass(frozen=True)
class ListPersonas:
    """Answer with :class:`Personas` and :class:`Choices`."""


@dataclasses.dataclass(frozen=True)
class Throttle:
    """Swap one frame of ``keep_one_of`` and hand the others back covered; 1 swaps all."""

    lane: int = wire(LANE_OR_ALL)
    keep_one_of: int = wire(integer(1, 1000))


@dataclasses.dataclass(frozen=True)
class Ping:
    """Answer with :class:`Pong`."""

    number: int = wire(integer(1, ID_MAX))
    """Larger than every number before."""
