"""Reads an ONNX file as data: nothing in it is run, and nothing that it names is opened unchecked.

What is refused, always in words: what is not ONNX; what is damaged or cut short; what would need far more
memory than its size; weights outside the model's folder; operators that need code of the model's own; shapes
and sizes that no model of a face has.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnx.numpy_helper
from google.protobuf.message import DecodeError, EncodeError

from doppel_models.errors import ModelFileError
from doppel_models.files.external import MAX_BYTES, take_in
from doppel_models.files.formats import HEAD, foreign_format
from doppel_models.files.growth import check_growth, inner_graphs
from doppel_models.files.wire import check_cost
from doppel_models.plain_file import plain_size
from doppel_models.sentences import sentence, unusable_model

DOMAINS = frozenset({"", "ai.onnx", "com.microsoft"})
"""Sets of operators that ONNX Runtime brings itself; any other needs a library of the model's own."""
MAX_NODES = 50_000
MAX_DIMENSION = 1 << 24
MAX_SUBGRAPHS = 4
"""Levels of graphs within graphs."""
MAX_NAME = 1024
OLDEST_OPSET = 7

_T = onnx.TensorProto
_ITEM_BYTES: dict[int, int] = {
    _T.FLOAT: 4,
    _T.UINT8: 1,
    _T.INT8: 1,
    _T.UINT16: 2,
    _T.INT16: 2,
    _T.INT32: 4,
    _T.INT64: 8,
    _T.BOOL: 1,
    _T.FLOAT16: 2,
    _T.DOUBLE: 8,
    _T.UINT32: 4,
    _T.UINT64: 8,
    _T.BFLOAT16: 2,
}
_FIELD: dict[int, str] = {
    _T.FLOAT: "float_data",
    _T.DOUBLE: "double_data",
    _T.INT64: "int64_data",
    _T.UINT32: "uint64_data",
    _T.UINT64: "uint64_data",
}
_REFUSED_STEPS = {
    "EPContext": "holds a program for one kind of graphics card, or names a file with one",
    "Loop": "can run for ever",
    "Scan": "can run for ever",
    "SequenceMap": "can run for ever",
}


class OnnxFile:
    """A checked model file. Needs no other file any more."""

    def __init__(self, data: bytes, model: onnx.ModelProto) -> None:
        """Keep what :func:`read_onnx` and :func:`parse_onnx` have checked."""
        self.data = data
        """The model with all its weights: what ONNX Runtime is given, and what is stored."""
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.model = model

    @property
    def opset(self) -> int:
        """Version of ONNX's standard operators."""
        return max(int(item.version) for item in self.model.opset_import if item.domain in ("", "ai.onnx"))

    def initializer(self, name: str) -> npt.NDArray[np.float32]:
        """One of its weights as float32.

        Raises:
            ModelFileError: there is none of that name, or it holds no numbers with a point.
        """
        for tensor in self.model.graph.initializer:
            if tensor.name == name:
                if tensor.data_type not in (_T.FLOAT, _T.FLOAT16, _T.DOUBLE):
                    break
                return np.ascontiguousarray(onnx.numpy_helper.to_array(tensor), dtype=np.float32)
        raise ModelFileError(f"it has no weight {name!r} that could be read")


def read_onnx(path: Path, name: str = "") -> OnnxFile:
    """Read and check a file; ``name`` is how messages call it, by default the file's name.

    Raises:
        ModelFileError: it cannot be read or is refused; the message names the file.
    """
    try:
        data = _read_plain(path)
        return parse_onnx(data, path.parent)
    except ModelFileError as error:
        raise ModelFileError(unusable_model(name or path.name, error)) from error


def parse_onnx(data: bytes, folder: Path | None = None) -> OnnxFile:
    """Check a file's bytes.

    Args:
        data: the file's content.
        folder: where weights in files beside it may lie; None allows none.

    Raises:
        ModelFileError: it is refused; the message does not name the file.
    """
    foreign = foreign_format(data[:HEAD])
    if foreign:
        raise ModelFileError(foreign)
    check_cost(data)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, ValueError, RecursionError) as error:
        raise ModelFileError(sentence("model.damaged", "it is damaged; fetch or export it again")) from error
    _check_head(model)
    tensors = list(_check_graph(model.graph, 0))
    sizes = [_checked_bytes(tensor) for tensor in tensors]
    if take_in(tensors, sizes, folder):
        try:
            data = model.SerializeToString()
        except (EncodeError, ValueError) as error:
            raise ModelFileError("it is too large with its weights in one file") from error
    for tensor in tensors:
        _check_payload(tensor)
    check_growth(model)
    return OnnxFile(data, model)


def _read_plain(path: Path) -> bytes:
    try:
        if plain_size(path) > MAX_BYTES:
            with path.open("rb") as file:
                foreign = foreign_format(file.read(HEAD))
            raise ModelFileError(
                foreign
                or sentence(
                    "model.size",
                    "it is larger than {most} bytes, which no ONNX file can be",
                    most=f"{MAX_BYTES:,}",
                )
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise ModelFileError(
            sentence(
                "model.unreadable",
                "it cannot be read: {why}",
                why=getattr(error, "strerror", None) or error,
            )
        ) from error


def _check_head(model: onnx.ModelProto) -> None:
    if not model.HasField("graph") or not model.graph.node:
        raise ModelFileError(
            sentence("model.no-onnx", "it is no ONNX file with a network in it, or is damaged or cut short")
        )
    if model.functions:
        raise ModelFileError("it defines operators of its own; export it with functions inlined")
    if model.training_info:
        raise ModelFileError("it holds a training program; export it for inference")
    versions = [item.version for item in model.opset_import if item.domain in ("", "ai.onnx")]
    if not versions:
        raise ModelFileError("it does not say which version of ONNX's operators it uses; it is damaged")
    if not OLDEST_OPSET <= max(versions) <= onnx.defs.onnx_opset_version():
        raise ModelFileError(
            f"it uses version {max(versions)} of ONNX's operators; {OLDEST_OPSET} to"
            f" {onnx.defs.onnx_opset_version()} can be used"
        )


def _check_graph(graph: onnx.GraphProto, depth: int) -> Iterator[onnx.TensorProto]:
    """Check a graph and those within; gives all tensors whose data the file holds or names."""
    if depth > MAX_SUBGRAPHS:
        raise ModelFileError(f"its graphs are nested more than {MAX_SUBGRAPHS} levels deep")
    if graph.sparse_initializer:
        raise ModelFileError("it has sparse weights, which Doppel does not read; export it with dense ones")
    if len(graph.node) > MAX_NODES:
        raise ModelFileError(f"it has {len(graph.node):,} steps; at most {MAX_NODES:,} are allowed")
    yield from graph.initializer
    longest = max((len(value.name) for value in (*graph.input, *graph.output)), default=0)
    if longest > MAX_NAME:
        raise ModelFileError(f"it has a name of {longest:,} letters; {MAX_NAME:,} are allowed")
    for node in graph.node:
        if node.domain not in DOMAINS:
            raise ModelFileError(
                f"its step {node.op_type[:60]!r} belongs to {node.domain[:60]!r} and needs program code of"
                " its own, which Doppel never loads; take an export with ONNX's standard operators"
            )
        if node.op_type in _REFUSED_STEPS:
            raise ModelFileError(
                f"its step {node.op_type} {_REFUSED_STEPS[node.op_type]}, which Doppel does not allow;"
                " take another export"
            )
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
                raise ModelFileError("it has sparse weights, which Doppel does not read")
        for inner in inner_graphs(node):
            yield from _check_graph(inner, depth + 1)


def _checked_bytes(tensor: onnx.TensorProto) -> int:
    """The bytes that a tensor's data must have."""
    item = _ITEM_BYTES.get(tensor.data_type)
    if item is None:
        known = tensor.data_type in _T.DataType.values()
        name = _T.DataType.Name(tensor.data_type) if known else str(tensor.data_type)
        raise ModelFileError(
            f"weight {tensor.name[:60]!r} is of type {name}, which Doppel does not read;"
            " take an export in float32 or float16"
        )
    if any(not 0 <= size <= MAX_DIMENSION for size in tensor.dims) or len(tensor.dims) > 8:
        raise ModelFileError(
            f"weight {tensor.name[:60]!r} has the shape {_shown(tensor.dims)}; it is damaged"
        )
    size = int(math.prod(tensor.dims)) * item
    if size > MAX_BYTES:
        raise ModelFileError(f"weight {tensor.name[:60]!r} would need {size:,} bytes; that is not a model's")
    return size


def _check_payload(tensor: onnx.TensorProto) -> None:
    """Refuse a tensor that does not hold exactly what its shape says."""
    count = math.prod(tensor.dims)
    if tensor.raw_data:
        held = len(tensor.raw_data) // _ITEM_BYTES[tensor.data_type]
        exact = len(tensor.raw_data) == count * _ITEM_BYTES[tensor.data_type]
    else:
        held = len(getattr(tensor, _FIELD.get(tensor.data_type, "int32_data")))
        exact = held == count
    if tensor.HasField("segment") or not exact:
        raise ModelFileError(
            f"weight {tensor.name[:60]!r} holds {held:,} numbers, but its shape {_shown(tensor.dims)} needs"
            f" {count:,}; the file is damaged"
        )


def _shown(dims: Iterable[int]) -> str:
    return str(list(dims))[:80]
