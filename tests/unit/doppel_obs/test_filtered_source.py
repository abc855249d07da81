from __future__ import annotations

from typing import Any

import pytest
from doppel_obs.filtered_source import FilteredSource
from doppel_obs.libobs import OUTPUT_AUDIO

from tests.unit.doppel_obs.english import words
from tests.unit.doppel_obs.fake_obs import PARENT, WEAK, FakeObs

MICROPHONE = 99


class Room(FakeObs):
    """A source that may have sound, or be gone, and a microphone."""

    def __init__(self, *, sounds: bool = False, gone: bool = False) -> None:
        super().__init__()
        self.sounds, self.gone = sounds, gone
        self.references[MICROPHONE] = 0

    def obs_source_get_output_flags(self, _source: int) -> int:
        return OUTPUT_AUDIO if self.sounds else 0

    def obs_weak_source_get_source(self, weak: int) -> Any:
        return None if self.gone else super().obs_weak_source_get_source(weak)

    def obs_get_source_by_name(self, name: bytes) -> int | None:
        if name != b"Mic":
            return None
        self.references[MICROPHONE] += 1
        return MICROPHONE


def seen(room: Room) -> FilteredSource:
    libobs: Any = room
    source = FilteredSource(libobs)
    source.look(1)
    source.look(1)
    return source


@pytest.mark.parametrize(
    ("room", "microphone", "found", "note"),
    [
        (Room(sounds=True), "Mic", PARENT, ""),
        (Room(), "Mic", MICROPHONE, ""),
        (Room(gone=True), "Mic", MICROPHONE, ""),
        (Room(), "", None, "pick the microphone"),
        (Room(), "Other", None, "no audio source “Other”"),
    ],
    ids=["its own", "the microphone's", "gone", "nobody said whose", "no such source"],
)
def test_the_sound_is_the_sources_own_or_the_microphones(
    room: Room, microphone: str, found: int | None, note: str
) -> None:
    source = seen(room)
    sound, told = source.sound(microphone)

    assert sound == found
    assert note in words(told) if note else told is None
    assert room.references == {one: int(one in (found, WEAK)) for one in (PARENT, WEAK, MICROPHONE)}
    source.close()
    source.close()
    assert room.references[WEAK] == 0


def test_a_source_that_is_gone_has_neither_name_nor_sound() -> None:
    source = seen(Room(gone=True))
    assert (source.found, source.name(), source.has_sound()) == (True, "", False)


def test_before_it_was_seen_there_is_none() -> None:
    libobs: Any = Room(sounds=True)
    source = FilteredSource(libobs)
    assert (source.found, source.name(), source.has_sound()) == (False, "", False)


def test_asking_leaves_no_reference_behind() -> None:
    room = Room(sounds=True)
    source = seen(room)
    assert (source.name(), source.has_sound()) == ("Camera", True)
    assert room.references[PARENT] == 0
