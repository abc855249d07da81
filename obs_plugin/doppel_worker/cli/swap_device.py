"""The device that ``doppel swap`` works on: a file can wait, so a device that is named is not exchanged."""

from __future__ import annotations

import re

from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import PersonaStore
from rich.console import Console

from doppel_worker.device_parts import DeviceParts
from doppel_worker.devices import AUTO
from doppel_worker.environment import device_of_auto
from doppel_worker.errors import DeviceError

_INSTEAD = re.compile(r"the CPU does the work(?: instead of \S+)?: ")


def open_parts(device: str, store: PersonaStore, importer: PersonaImporter, console: Console) -> DeviceParts:
    """What frames need on a device; with ``auto`` the CPU where there is no other, which is told.

    Args:
        device: as the filter's setting has it.
        store: of the personas.
        importer: reads their photos.
        console: for the licences of models, and what is told.

    Raises:
        DeviceError: ``device`` is no device's name, or it cannot be used.
        ModelsError: a bundled network is missing or cannot be run.
    """

    def tell(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    def refuse(text: str) -> None:
        why = _INSTEAD.sub("", text, count=1)
        raise DeviceError(f"{device} cannot be used: {why}; or leave out device={device}")

    if device == AUTO:
        return DeviceParts(device_of_auto(), store, tell, importer, tell)
    return DeviceParts(device, store, refuse, importer, tell)
