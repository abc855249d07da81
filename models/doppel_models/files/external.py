"""Takes weights that a model keeps in files beside it into the model itself, and refuses files elsewhere.

A model may name any path as the home of its weights (``external_data``). What it names must be a plain file
in the model's own folder; afterwards the model needs no other file, so nothing that opens it can be led
astray. Format: https://onnx.ai/onnx/repo-docs/ExternalData.html.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

import onnx

from doppel_models.errors import ModelFileError
from doppel_models.sentences import sentence

MAX_BYTES = (1 << 31) - (1 << 20)
"""A protocol buffer holds less than 2 GiB; a model that is larger with its weights inside cannot be used."""


def take_in(tensors: Iterable[onnx.TensorProto], sizes: Iterable[int], folder: Path | None) -> bool:
    """Put the data of tensors that lies in other files into the tensors.

    Args:
        tensors: all tensors of a model.
        sizes: the bytes that each of them must have by its shape and type.
        folder: the model's folder; None refuses every tensor whose data lies elsewhere.

    Returns:
        Whether anything was taken in.

    Raises:
        ModelFileError: a path leaves the folder or is no plain file, or the data are not there or too large.
    """
    total = 0
    for tensor, size in zip(tensors, sizes, strict=True):
        external = tensor.data_location == onnx.TensorProto.EXTERNAL
        if not external and not tensor.external_data:
            continue
        if not external or tensor.raw_data:
            raise ModelFileError(f"weight {tensor.name!r} is both in the file and elsewhere; export it again")
        if folder is None:
            raise ModelFileError(f"weight {tensor.name!r} lies in another file; add the model again")
        total += size
        if total > MAX_BYTES:
            raise ModelFileError(
                "its weights are larger than 2 GiB together; Doppel cannot use so large a model"
            )
        entries = {entry.key: entry.value for entry in tensor.external_data}
        tensor.raw_data = _read(
            _inside(folder, entries.get("location", "")),
            _number(entries.get("offset", "0")),
            _number(entries["length"]) if "length" in entries else size,
            size,
        )
        tensor.ClearField("external_data")
        tensor.data_location = onnx.TensorProto.DEFAULT
    return total > 0


def _inside(folder: Path, location: str) -> Path:
    """The file that a model names, if it lies in its folder and is no link out of it."""
    shown = location[:200]
    windows = PureWindowsPath(location)
    parts = PurePosixPath(location).parts
    if (
        not parts
        or "\0" in location
        or windows.drive
        or windows.root
        or ".." in parts
        or ".." in windows.parts
    ):
        raise ModelFileError(
            sentence(
                "model.outside",
                "it wants to read '{file}', outside its own folder; that is refused; take another file",
                file=shown,
            )
        )
    path = folder.joinpath(*parts)
    try:
        home = folder.resolve(strict=True)
        real = path.resolve(strict=True)
        if not real.is_relative_to(home):
            raise ModelFileError(f"its file {shown!r} is a link out of the model's folder; that is refused")
        if not stat.S_ISREG(real.stat().st_mode):
            raise ModelFileError(f"its weights {shown!r} are no plain file")
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise ModelFileError(
            sentence(
                "model.second-file",
                "its weights lie in a second file, '{file}', which is not beside it; put both into one"
                " folder",
                file=shown,
            )
        ) from error
    return real


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ModelFileError(f"it names {text[:40]!r} as the place of a weight; the file is damaged")
    return int(text)


def _read(path: Path, offset: int, length: int, size: int) -> bytes:
    if length != size:
        raise ModelFileError(f"a weight in {path.name} has {length:,} bytes, its shape needs {size:,}")
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < offset + size:
                raise ModelFileError(f"{path.name}, beside the model, is cut short; fetch it again")
            file.seek(offset)
            data = file.read(size)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) != size:
        raise ModelFileError(f"{path.name}, beside the model, is cut short; fetch it again")
    return data
