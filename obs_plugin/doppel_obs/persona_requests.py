"""Photos on their way to become personas: asked of the worker, answered on the filter's page."""

from __future__ import annotations

import getpass
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable

from doppel_ipc.messages import AddPersona, Consent, Message, PersonaAdded

from doppel_obs.properties import ADD_GROUND, ADD_NAME, ADD_PATH
from doppel_obs.status_line import sentence

Say = Callable[[int, str], None]
"""``say(filter id, sentence)``: onto that filter's page and into OBS's log."""
Choose = Callable[[int, "dict[str, str]"], None]
"""``choose(filter id, settings)``: sets texts in that filter's settings."""


class PersonaRequests:
    """The photos that the worker has been asked to take. One thread only.

    Args:
        send: sends a message to the worker.
        next_serial: gives a number larger than all before.
        say: tells the user.
        choose: changes the filter's settings.
    """

    def __init__(
        self, send: Callable[[Message], None], next_serial: Callable[[], int], say: Say, choose: Choose
    ) -> None:
        self._send = send
        self._next_serial = next_serial
        self._say = say
        self._choose = choose
        self._filters: dict[int, int] = {}
        """Request -> filter id."""

    def ask(self, filter_id: int, photo: str, name: str, ground: str, *, ready: bool) -> None:
        """Asks for a persona of a photo, for that filter; ``ready``: there is a worker that can answer."""
        if not ready:
            self._say(filter_id, "The photo was not taken: the worker is not ready. Try again in a moment.")
            return
        request = self._next_serial()
        self._filters[request] = filter_id
        when = datetime.now(timezone.utc).isoformat(timespec="seconds")
        consent = Consent(ground, getpass.getuser()[:200] or "user", when)
        self._say(filter_id, f"{Path(photo).name} is being prepared...")
        self._send(AddPersona(request, (photo,), name[:200], consent))

    def answered(self, answer: PersonaAdded) -> None:
        """The worker has made it, or says what is wrong with the photo."""
        filter_id = self._filters.pop(answer.request, None)
        if filter_id is None:
            return  # its filter is gone
        if not answer.ok:
            self._say(filter_id, sentence(f"The photo was not taken: {answer.error}"))
            return
        self._say(filter_id, "\n".join(("The face was added.", *map(sentence, answer.warnings))))
        self._choose(filter_id, {"persona": answer.id, ADD_PATH: "", ADD_NAME: "", ADD_GROUND: ""})

    def filter_gone(self, filter_id: int) -> None:
        """Nobody waits for that filter's answers any more."""
        for request in [number for number, asker in self._filters.items() if asker == filter_id]:
            del self._filters[request]

    def worker_lost(self) -> None:
        """Nobody will answer what is open."""
        while self._filters:
            _, filter_id = self._filters.popitem()
            self._say(filter_id, "The photo was not taken: the worker stopped. Try again.")
