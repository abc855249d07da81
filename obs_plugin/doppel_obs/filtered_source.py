"""The source that a filter is on: what it is called, and whose sound goes with its picture."""

from __future__ import annotations

from doppel_obs.libobs import OUTPUT_AUDIO, Handle, Libobs
from doppel_obs.phrases import Phrase, phrase


class FilteredSource:
    """Holds the source weakly, so that OBS may end it at any time.

    Args:
        obs: libobs.
    """

    def __init__(self, obs: Libobs) -> None:
        self._obs = obs
        self._weak: Handle | None = None

    @property
    def found(self) -> bool:
        """True once it was seen; it may be gone since."""
        return self._weak is not None

    def look(self, filter_source: Handle) -> None:
        """Finds the source of a filter, which has none while OBS makes it."""
        if self._weak is None:
            self._weak = self._obs.weak_parent(filter_source)

    def close(self) -> None:
        """Lets the source go. May be called again."""
        weak, self._weak = self._weak, None
        if weak is not None:
            self._obs.obs_weak_source_release(weak)

    def name(self) -> str:
        """What it is called now; empty: it is gone."""
        source = self._strong()
        if source is None:
            return ""
        try:
            return self._obs.name_of(source)
        finally:
            self._obs.obs_source_release(source)

    def has_sound(self) -> bool:
        """True where it has sound of its own."""
        source = self._strong()
        if source is None:
            return False
        try:
            return self._sounds(source)
        finally:
            self._obs.obs_source_release(source)

    def sound(self, microphone: str) -> tuple[Handle | None, Phrase | None]:
        """The source whose sound goes with the picture (a reference), and a note for the status line.

        Args:
            microphone: name of the source that is asked where the filtered one has no sound; empty: none.
        """
        source = self._strong()
        if source is not None:
            if self._sounds(source):
                return source, None
            self._obs.obs_source_release(source)
        if not microphone:
            return None, phrase("sound.pick")
        named: Handle | None = self._obs.obs_get_source_by_name(microphone.encode())
        if named is None:
            return None, phrase("sound.no-source", name=microphone)
        return named, None

    def _sounds(self, source: Handle) -> bool:
        return bool(self._obs.obs_source_get_output_flags(source) & OUTPUT_AUDIO)

    def _strong(self) -> Handle | None:
        if self._weak is None:
            return None
        source: Handle | None = self._obs.obs_weak_source_get_source(self._weak)
        return source
