"""What is known of the licence of each family of models, and the record that a user accepted it.

Doppel ships none of these models and fetches none by itself. What stands here is what the families'
publishers say (and third-party catalogues, such as FaceFusion's); a file may come with other terms, and those
decide.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Literal

import msgspec

from doppel_models.errors import ModelFileError
from doppel_models.files.kinds import ModelKind
from doppel_models.sentences import sentence

MAX_TEXT = 500


@dataclasses.dataclass(frozen=True, slots=True)
class Licence:
    """The terms of one family, as far as they are known."""

    key: str
    """For records; does not change when the words do."""
    name: str
    use: Literal["any", "limited", "non-commercial", "unknown"]
    terms: str
    """What a user should know, in a sentence or two."""

    @property
    def needs_ground(self) -> bool:
        """Whether the user must say on what ground they may use the file, because nobody else does."""
        return self.use == "unknown"


class Acceptance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That a user accepted a licence."""

    licence: str
    """:attr:`Licence.key`."""
    who: str
    when: str
    """ISO 8601 date and time."""
    ground: str = ""
    """Why they may use the file, in their own words; needed where the licence is unknown."""


_APACHE = "free to use, also commercially, with the licence's text and notices kept."
_ASK = "Doppel does not know under which terms this file may be used. Find out before you accept."

_NON_COMMERCIAL_RESEARCH = "for non-commercial use and research; for anything else ask its makers."
_INSWAPPER = Licence(
    "insightface-nc",
    "InsightFace, non-commercial",
    "non-commercial",
    f"InsightFace publishes its models {_NON_COMMERCIAL_RESEARCH}",
)

_BY_KIND: dict[ModelKind, Licence] = {
    ModelKind.INSWAPPER: _INSWAPPER,
    ModelKind.ARCFACE: Licence(
        "arcface",
        "InsightFace, non-commercial (if it is one of InsightFace's)",
        "non-commercial",
        f"InsightFace publishes its recognisers, such as w600k_r50, {_NON_COMMERCIAL_RESEARCH}",
    ),
    ModelKind.SIMSWAP: Licence(
        "simswap-nc", "SimSwap, non-commercial", "non-commercial", f"SimSwap is {_NON_COMMERCIAL_RESEARCH}"
    ),
    ModelKind.BLENDSWAP: Licence(
        "blendswap-nc",
        "BlendSwap, non-commercial",
        "non-commercial",
        f"BlendSwap is {_NON_COMMERCIAL_RESEARCH}",
    ),
    ModelKind.HYPERSWAP: Licence(
        "researchrail",
        "ResearchRAIL-MS",
        "limited",
        "HyperSwap may be used for research, within the limits on use that its licence lists; read it where"
        " you got the file.",
    ),
    ModelKind.CROSSFACE: Licence(
        "openrail",
        "OpenRAIL-MS",
        "limited",
        "CrossFace may be used within the limits on use that its licence lists; read it where"
        " you got the file.",
    ),
    ModelKind.GHOST: Licence("ghost-apache", "Apache-2.0", "any", f"Ghost is {_APACHE}"),
    ModelKind.UNIFACE: Licence("uniface-unknown", "unknown", "unknown", f"UniFace: {_ASK}"),
    ModelKind.HIFIFACE: Licence("hififace-unknown", "unknown", "unknown", f"HifiFace: {_ASK}"),
    ModelKind.XSEG: Licence(
        "xseg-unknown", "unknown", "unknown", f"XSeg networks carry the terms of whoever trained them. {_ASK}"
    ),
    ModelKind.DFM: Licence(
        "dfm-trainer",
        "set by whoever trained it",
        "unknown",
        "A DeepFaceLab model carries the terms of whoever trained it, and shows one person's face: you need"
        f" that person's consent as well. {_ASK}",
    ),
}
_CODEFORMER = Licence(
    "s-lab-1.0",
    "S-Lab License 1.0, non-commercial",
    "non-commercial",
    f"CodeFormer is {_NON_COMMERCIAL_RESEARCH}",
)
_GPEN = Licence("gpen-nc", "GPEN, non-commercial", "non-commercial", f"GPEN is {_NON_COMMERCIAL_RESEARCH}")
_ENHANCER = Licence(
    "enhancer-unknown",
    "unknown",
    "unknown",
    "GFPGAN and RestoreFormer are published under Apache-2.0, GPEN for non-commercial use; which of them this"
    f" file is cannot be told from its contents. {_ASK}",
)
_UNKNOWN = Licence("unknown", "unknown", "unknown", _ASK)


def licence_of(kind: ModelKind, variant: str) -> Licence:
    """What is known of the licence of a kind and variant of model."""
    if kind == ModelKind.ENHANCER:
        if variant.startswith("codeformer"):
            return _CODEFORMER
        return _GPEN if variant.startswith("gpen ") else _ENHANCER
    return _BY_KIND.get(kind, _UNKNOWN)


def accept(licence: Licence, who: str, ground: str = "") -> Acceptance:
    """The record that a user accepts a licence at this moment.

    Raises:
        ModelFileError: nobody says so, or the licence is unknown and no ground is given.
    """
    who, ground = " ".join(who.split())[:MAX_TEXT], " ".join(ground.split())[:MAX_TEXT]
    if not who:
        raise ModelFileError("the record of a licence needs the name of who accepts it")
    if licence.needs_ground and not ground:
        raise ModelFileError(
            sentence(
                "licence.ground",
                "its licence is not known, so say on what ground you may use it (such as: I trained it"
                " myself)",
            )
        )
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return Acceptance(licence.key, who, now, ground)


def check_acceptance(licence: Licence, acceptance: Acceptance | None) -> None:
    """Refuse a model whose licence was not accepted.

    Raises:
        ModelFileError: with what to do.
    """
    if acceptance is None or acceptance.licence != licence.key or not acceptance.who:
        raise ModelFileError(
            sentence(
                "licence.not-accepted",
                "its licence ({licence}) was not accepted; add it again",
                licence=licence.name,
            )
        )
    if licence.needs_ground and not acceptance.ground:
        raise ModelFileError(
            sentence("licence.no-ground", "nobody said on what ground it may be used; add it again")
        )
