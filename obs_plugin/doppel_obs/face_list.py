"""The face list of the property page, and the picture of the chosen face."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Sequence

from doppel_obs.language import Language
from doppel_obs.phrases import phrase
from doppel_obs.properties import PersonaChoice

PREVIEW_HEIGHT = 96
"""Of the picture of the chosen face, pixels."""
BUILT_IN_NAMES = {"porcelain": "Porcelain mask", "bronze": "Bronze mask", "jade": "Jade mask"}
"""As the worker calls them (``doppel_models.personas``), which this side cannot import."""
_MASKS = Path("models", "doppel_models", "data", "masks")


class FaceList:
    """What a page shows of faces. Until the worker has listed them, the built-in ones are known.

    Args:
        project: the project's folder.
        language: the user's.
    """

    def __init__(self, project: Path, language: Language) -> None:
        self._language = language
        self._built_in = [
            PersonaChoice(id_, name, str(project / _MASKS / f"{id_}.jpg"))
            for id_, name in BUILT_IN_NAMES.items()
        ]

    def shown(self, listed: Sequence[PersonaChoice], chosen: str) -> Sequence[PersonaChoice]:
        """The lines of the list, the chosen face always among them.

        Args:
            listed: what the worker has listed; empty: nothing yet.
            chosen: the face in the settings.
        """
        faces = list(listed or self._built_in)
        if chosen and chosen not in [item.id for item in faces]:
            faces.append(PersonaChoice(chosen, chosen))
        return faces

    def picture(self, listed: Sequence[PersonaChoice], chosen: str) -> str:
        """What the page shows of a face, as simple HTML; the arguments are those of :meth:`shown`."""
        picture = next((item.picture for item in listed or self._built_in if item.id == chosen), "")
        if picture and Path(picture).is_file():
            words = html.escape(self._language.say(phrase("page.preview")))
            address = html.escape(Path(picture).as_uri(), quote=True)
            return f'<img src="{address}" height="{PREVIEW_HEIGHT}" alt="{words}">'
        # Nobody knows yet whether there is one.
        return self._language.say(phrase("page.no_preview" if listed else "page.preview_later"))
