"""A filter's hotkeys: swap on or off, next and previous face, and the one that shows the original while held.

The gate registers them, on the filtered source (libobs refuses a filter's own), and OBS saves their keys with
that source in the scene collection. It counts what they are pressed for; here it is done, at a look of the
control loop, as if the user had changed the filter's settings. The key that is held works in the gate itself:
letting go must cover whatever becomes of the script.
"""

from __future__ import annotations

import ctypes
import dataclasses
from typing import Callable, Mapping, Sequence

from doppel_ipc import gate_user_abi
from doppel_ipc.settings import FilterSettings, Value

from doppel_obs.errors import RegistrationError
from doppel_obs.libobs import Libobs

TEXTS = ("hotkey.swap", "hotkey.next", "hotkey.previous", "hotkey.original")
"""Keys of what the hotkeys are called, in the gate's order."""
CATCH_UP_NS = 1_000_000_000
"""A change that the filter's settings do not show after this long was overruled, e.g. by the user."""


def install_hotkeys(libobs: Libobs, gate: ctypes.CDLL, texts: Sequence[str]) -> None:
    """Hands the gate what it needs for hotkeys; to be called before the first filter is made.

    Args:
        libobs: libobs's functions.
        gate: the native library.
        texts: what the hotkeys are called behind the filter's name, in the order of :data:`TEXTS`.

    Raises:
        RegistrationError: the gate refuses.
    """
    table = gate_user_abi.HotkeyLibObs(size=ctypes.sizeof(gate_user_abi.HotkeyLibObs))
    libobs.fill(table)
    encoded = (ctypes.c_char_p * len(TEXTS))(*(text.encode() for text in texts))
    if gate.doppel_gate_install_hotkeys(ctypes.byref(table), encoded) != 0:
        raise RegistrationError("the native library refused the table of libobs's functions for hotkeys")


@dataclasses.dataclass
class _Chosen:
    """What was set here and may not have come back as the filter's settings yet."""

    values: dict[str, Value]
    since_ns: int


class HotkeyKeeper:
    """What hotkeys were pressed for becomes the filters' settings. One thread only.

    Args:
        gate: the native library.
        change: sets values in a filter's settings in OBS.
    """

    def __init__(self, gate: ctypes.CDLL, change: Callable[[int, Mapping[str, Value]], None]) -> None:
        self._gate = gate
        self._change = change
        self._wishes = gate_user_abi.Wishes()
        self._chosen: dict[int, _Chosen] = {}
        self._met: set[int] = set()

    def look(self, now_ns: int, filter_id: int, settings: FilterSettings, personas: Sequence[str]) -> bool:
        """Does what one filter's keys were pressed for since the last look.

        Args:
            now_ns: the time.
            filter_id: the gate's id.
            settings: as the filter has them.
            personas: identifiers, in the order of the face list.

        Returns:
            True while the key is held that shows the original.
        """
        if self._gate.doppel_gate_follow_hotkeys(filter_id, ctypes.byref(self._wishes)) != 0:
            return False
        wishes = self._wishes
        held = bool(wishes.original)
        if filter_id not in self._met:
            # Of keys that were pressed while no script was there: too late to obey, and maybe pressed again.
            self._met.add(filter_id)
            return held
        now = self._present(now_ns, filter_id, settings)
        wanted: dict[str, Value] = {}
        if wishes.swap % 2:
            wanted["swap"] = not now.swap
        step = int(wishes.next) - int(wishes.previous)
        if step and personas:
            wanted["persona"] = neighbour(personas, now.persona, step)
        if wanted:
            known = self._chosen.get(filter_id)
            self._chosen[filter_id] = _Chosen({**(known.values if known else {}), **wanted}, now_ns)
            self._change(filter_id, wanted)
        return held

    def gone(self, filter_id: int) -> None:
        """The filter is no more."""
        self._chosen.pop(filter_id, None)
        self._met.discard(filter_id)

    def _present(self, now_ns: int, filter_id: int, settings: FilterSettings) -> FilterSettings:
        """The settings with what was set here a moment ago: OBS's are read when they have been quiet."""
        chosen = self._chosen.get(filter_id)
        if chosen is None:
            return settings
        seen = all(getattr(settings, key) == value for key, value in chosen.values.items())
        if seen or now_ns - chosen.since_ns > CATCH_UP_NS:
            del self._chosen[filter_id]
            return settings
        return settings.replace(**chosen.values)


def neighbour(items: Sequence[str], present: str, step: int) -> str:
    """The item ``step`` places on, round and round; the first or last one if ``present`` is none of them."""
    if present not in items:
        return items[0] if step > 0 else items[-1]
    return items[(items.index(present) + step) % len(items)]
