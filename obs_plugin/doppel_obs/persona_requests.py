"""Photos on their way to become personas: asked of the worker, answered on the filter's page."""

from __future__ import annotations

import dataclasses
import getpass
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable

from doppel_ipc.messages import AddPersona, Consent, Message, PersonaAdded

from doppel_obs.phrases import phrase, said
from doppel_obs.properties import ADD_CONFIRMED, ADD_GROUND, ADD_LICENCE, ADD_MORE, ADD_NAME, ADD_PATH

Say = Callable[..., None]
"""``say(filter id, *phrases)``: onto that filter's page and into OBS's log."""
Choose = Callable[[int, "dict[str, object]"], None]
"""``choose(filter id, settings)``: changes that filter's settings."""
MODEL_SUFFIXES = (".onnx", ".dfm")


@dataclasses.dataclass(frozen=True)
class NewPersona:
    """What the user wants to add."""

    files: tuple[str, ...]
    """Photos of one face, or one model."""
    name: str
    ground: str
    """Of ``message_parts.CONSENT_GROUNDS``."""
    licence: bool
    """That of a model is accepted."""


class PersonaRequests:
    """The photos that the worker has been asked to take. One thread only.

    Args:
        send: sends a message to the worker.
        next_serial: gives a number larger than all before.
        say: tells the user.
        choose: changes the filter's settings.
        photo_of: what a filter's page has under :data:`ADD_PATH` now.
    """

    def __init__(
        self,
        send: Callable[[Message], None],
        next_serial: Callable[[], int],
        say: Say,
        choose: Choose,
        photo_of: Callable[[int], object],
    ) -> None:
        self._send = send
        self._next_serial = next_serial
        self._say = say
        self._choose = choose
        self._photo_of = photo_of
        self._filters: dict[int, tuple[int, NewPersona]] = {}
        """Request -> filter id, and what it asked for."""

    def ask(self, filter_id: int, wanted: NewPersona, *, ready: bool) -> None:
        """Asks for a persona, for that filter; ``ready``: there is a worker that can answer."""
        if not ready:
            self._say(filter_id, phrase("photo.not-ready"))
            return
        request = self._next_serial()
        self._filters[request] = (filter_id, wanted)
        when = datetime.now(timezone.utc).isoformat(timespec="seconds")
        consent = Consent(wanted.ground, _user(), when)
        self._say(filter_id, phrase("photo.preparing", file=Path(wanted.files[0]).name))
        self._send(AddPersona(request, wanted.files, wanted.name[:200], consent, wanted.licence))

    def answered(self, answer: PersonaAdded) -> None:
        """The worker has made it, or says what is wrong with the photo."""
        asked = self._filters.pop(answer.request, None)
        if asked is None:
            return  # its filter is gone
        filter_id, wanted = asked
        if not answer.ok:
            self._say(filter_id, phrase("photo.refused", why=said(answer.error, closed=True)))
            return
        warnings = (said(text, closed=True) for text in answer.warnings)
        self._say(filter_id, phrase("photo.added" if answer.id else "model.added"), *warnings)
        values: dict[str, object] = {"persona": answer.id} if answer.id else {}
        if self._photo_of(filter_id) in wanted.files:  # else the user is at the next one already
            values.update({ADD_PATH: "", ADD_MORE: [], ADD_NAME: "", ADD_GROUND: ""})
            values.update({ADD_CONFIRMED: False, ADD_LICENCE: False})
        self._choose(filter_id, values)

    def filter_gone(self, filter_id: int) -> None:
        """Nobody waits for that filter's answers any more."""
        for request in [number for number, (asker, _) in self._filters.items() if asker == filter_id]:
            del self._filters[request]

    def worker_lost(self) -> None:
        """Nobody will answer what is open."""
        while self._filters:
            _, (filter_id, _) = self._filters.popitem()
            self._say(filter_id, phrase("photo.worker-lost"))


def _user() -> str:
    """Who gives consent: the user of this computer, by name where the system knows one."""
    try:
        return getpass.getuser()[:200] or "user"
    except (OSError, KeyError, ImportError):  # as it is told by each system and version of Python
        return "user"
