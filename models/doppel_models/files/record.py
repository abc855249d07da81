"""What the store keeps of each model beside the file itself: one JSON file of a checked form.

::

    {"version": 1, "sha256": "...", "bytes": 554253681, "name": "inswapper_128", "kind": "inswapper",
     "variant": "128", "pixels": 128, "choice": null, "origin": "https://example.org/inswapper_128.onnx",
     "added": "2026-01-31T12:00:00+00:00",
     "acceptance": {"licence": "insightface-nc", "who": "Jo", "when": "2026-01-31T12:00:00+00:00",
                    "ground": ""}}
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec

from doppel_models.errors import StoreError
from doppel_models.files.kinds import ModelKind, model_title
from doppel_models.files.licences import Acceptance, Licence, licence_of

VERSION: Literal[1] = 1
MAX_RECORD_BYTES = 64 * 1024
MAX_NAME = 80

_Text = Annotated[str, msgspec.Meta(max_length=2048)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
_Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class ModelRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of one stored model."""

    version: Literal[1]
    sha256: _Sha256
    bytes: Annotated[int, msgspec.Meta(gt=0)]
    name: _Name
    """For people, and to name it by."""
    kind: ModelKind
    variant: _Text
    pixels: int
    """Width and height of its crop; 0 where there is none."""
    choice: _Text | None
    """What the user said it is, where its contents leave a choice."""
    origin: _Text
    """Its address without user, password and query; or the name of the file it was added from."""
    added: _Text
    """ISO 8601 date and time."""
    acceptance: Acceptance | None

    @property
    def title(self) -> str:
        """Kind and variant for people."""
        return model_title(self.kind, self.variant)

    @property
    def licence(self) -> Licence:
        """What is known of its licence."""
        return licence_of(self.kind, self.variant)


def encode_record(record: ModelRecord) -> bytes:
    """The JSON file of a record."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def decode_record(data: bytes, sha256: str) -> ModelRecord:
    """A record from its JSON file.

    Raises:
        StoreError: it is damaged or belongs to another file.
    """
    try:
        record = msgspec.json.decode(data, type=ModelRecord)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise StoreError(f"its record is damaged ({error}); add the model again") from error
    if record.sha256 != sha256 or clean_name(record.name) != record.name:
        raise StoreError("its record belongs to another file or was changed; add the model again")
    return record


def clean_name(text: str) -> str:
    """A name that is safe to print and to type: no control characters, no separators, at most 80 letters.

    Raises:
        StoreError: no letter or digit is left.
    """
    plain = unicodedata.normalize("NFC", text)
    plain = "".join(" " if unicodedata.category(c)[0] in "CZ" or c in "/\\" else c for c in plain)
    plain = re.sub(r" +", " ", plain).strip(" .-")[:MAX_NAME].strip(" .-")
    if not any(c.isalnum() for c in plain):
        raise StoreError("a model needs a name with a letter or a digit in it")
    return plain


def clean_origin(url: str) -> str:
    """An address for the record: without user, password, query and fragment, which may be secret."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    shown = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, shown + port, parts.path, "", ""))[:2048]
