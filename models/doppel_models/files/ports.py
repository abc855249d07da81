"""A network's inputs and outputs as plain values, and what their shapes say."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import onnx

from doppel_models.errors import ModelFileError
from doppel_models.files.kinds import VECTOR_LENGTH, Dtype

MAX_PORTS = 32
MAX_RANK = 8
MAX_SIZE = 1 << 16
"""Largest dimension of an input or output."""

DTYPES: dict[int, Dtype] = {
    onnx.TensorProto.FLOAT: "float32",
    onnx.TensorProto.FLOAT16: "float16",
    onnx.TensorProto.DOUBLE: "float64",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Port:
    """One input or output."""

    name: str
    shape: tuple[int | None, ...]
    """None where a dimension is free."""
    dtype: Dtype | None
    """None where the values are no floating-point numbers."""

    def __str__(self) -> str:
        """``target [1, 3, 128, 128] float32``; a free dimension is a question mark."""
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name[:40]!r} [{sizes}] {self.dtype or 'not floating-point'}"

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def channels_first(self) -> int | None:
        """Channels of a picture in the layout NCHW; 0 where it is none, None where they are free."""
        return self.shape[1] if self.rank == 4 else 0

    @property
    def channels_last(self) -> int | None:
        """Channels of a picture in the layout NHWC; 0 where it is none, None where they are free."""
        return self.shape[3] if self.rank == 4 else 0

    @property
    def is_vector(self) -> bool:
        """Whether it is an identity vector."""
        return self.rank == 2 and self.shape[1] == VECTOR_LENGTH

    @property
    def is_number(self) -> bool:
        """Whether it is one number: a scalar, or one of one dimension (or two) of 1."""
        return self.rank <= 2 and all(size in (1, None) for size in self.shape)


@dataclasses.dataclass(frozen=True, slots=True)
class Ports:
    """All inputs and outputs, in the file's order."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def __str__(self) -> str:
        """For messages."""
        inputs = "; ".join(str(port) for port in self.inputs[:6]) or "none"
        outputs = "; ".join(str(port) for port in self.outputs[:6]) or "none"
        return f"{len(self.inputs)} inputs ({inputs}), {len(self.outputs)} outputs ({outputs})"


def read_ports(graph: onnx.GraphProto) -> Ports:
    """Inputs and outputs of a graph; weights that old files list among the inputs are left out.

    Raises:
        ModelFileError: there is none, or their number or shapes are absurd.
    """
    weights = {tensor.name for tensor in graph.initializer}
    inputs = _ports(value for value in graph.input if value.name not in weights)
    outputs = _ports(graph.output)
    for ports, what in ((inputs, "inputs"), (outputs, "outputs")):
        if not ports:
            raise ModelFileError(f"it has no {what}; it is damaged")
        if len({port.name for port in ports}) != len(ports):
            raise ModelFileError(f"two of its {what} have the same name; it is damaged")
    return Ports(inputs, outputs)


def refuse_batches(ports: Ports) -> None:
    """Refuse a network that wants several pictures at once, which engines never have.

    Raises:
        ModelFileError: an input's first dimension is fixed and not 1.
    """
    for port in ports.inputs:
        if port.rank >= 2 and port.shape[0] not in (1, None):
            raise ModelFileError(
                f"its input {port} is made for {port.shape[0]} pictures at once; take an export for one"
            )


def square(*pictures: Port) -> int:
    """Width and height that pictures of the same size and 1 or 3 channels agree on; 0 where all are free.

    Raises:
        ModelFileError: they are not square or not of one size.
    """
    found = set()
    for port in pictures:
        last = port.channels_last in (1, 3) and port.channels_first not in (1, 3)
        found |= {size for size in (port.shape[1:3] if last else port.shape[2:4]) if size is not None}
    if len(found) > 1:
        shown = "; ".join(str(port) for port in pictures)
        raise ModelFileError(f"its pictures are not square or not of one size ({shown})")
    return found.pop() if found else 0


def _ports(values: Iterable[onnx.ValueInfoProto]) -> tuple[Port, ...]:
    ports: list[Port] = []
    for value in values:
        if len(ports) == MAX_PORTS:
            raise ModelFileError(f"it has more than {MAX_PORTS} inputs or outputs; no model of a face has")
        if not value.type.HasField("tensor_type"):
            raise ModelFileError(
                f"its {value.name[:40]!r} is no tensor (a sequence or map), which Doppel cannot feed"
            )
        kind = value.type.tensor_type
        shape = tuple(_dimension(value.name, dim) for dim in kind.shape.dim)
        if len(shape) > MAX_RANK:
            raise ModelFileError(f"its {value.name[:40]!r} has {len(shape)} dimensions; it is damaged")
        ports.append(Port(value.name, shape, DTYPES.get(kind.elem_type)))
    return tuple(ports)


def _dimension(name: str, dim: onnx.TensorShapeProto.Dimension) -> int | None:
    # Exporters write a free dimension as a name, as nothing, as -1 or as 0.
    if not dim.HasField("dim_value") or dim.dim_value in (0, -1):
        return None
    size = int(dim.dim_value)
    if not 0 < size <= MAX_SIZE:
        raise ModelFileError(f"its {name[:40]!r} has a dimension of {size:,}; no model of a face has")
    return size
