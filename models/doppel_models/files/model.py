"""A model file that is ready for an engine: checked, recognised, and held as bytes.

Importing this module is cheap: the ``onnx`` package is loaded when a file is read, so that a worker without
such a file does without it.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from doppel_models.errors import AmbiguousModelError, ModelFileError
from doppel_models.files.kinds import ModelDescription
from doppel_models.sentences import sentence, unusable_model

if TYPE_CHECKING:
    from doppel_models.files.onnx_file import OnnxFile


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ModelFile:
    """A model file's content. It needs no other file, and never opens one."""

    name: str
    """How messages call it: the file's name, or its name in the store."""
    sha256: str
    """Of :attr:`data`; the same file has the same one wherever it lies (but for weights beside it)."""
    description: ModelDescription
    data: bytes
    """What ONNX Runtime is given."""
    emap: npt.NDArray[np.float32] | None
    """(512, 512): inswapper's map of identities; None for other kinds."""


def open_model(path: Path, choice: str | None = None, name: str = "") -> ModelFile:
    """Read, check and recognise a file.

    Args:
        path: any file of the user's.
        choice: what the user says it is, where its contents leave a choice
            (:attr:`.kinds.ModelDescription.key`).
        name: how messages call it; default: the file's name.

    Raises:
        AmbiguousModelError: its contents fit several kinds and ``choice`` settles nothing.
        ModelFileError: it cannot be read or used; the message names the file, says what it is and what to do.
    """
    from doppel_models.files.onnx_file import read_onnx

    return checked_model(read_onnx(path, name), name or path.name, choice)


def checked_model(file: OnnxFile, name: str, choice: str | None = None) -> ModelFile:
    """:func:`open_model` for a file that is read already; ``name`` is for messages."""
    from doppel_models.files.recognise import recognise

    try:
        description = recognise(file, choice)
        emap = file.initializer(description.emap) if description.emap else None
    except AmbiguousModelError as error:
        raise AmbiguousModelError(
            sentence("model.ambiguous-file", "{name}: {why}", name=name, why=error), error.choices
        ) from None
    except ModelFileError as error:
        raise ModelFileError(unusable_model(name, error)) from None
    return ModelFile(name, file.sha256, description, file.data, emap)
