"""A model's network with its inputs and outputs by what they are for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from doppel_models.errors import EngineError
from doppel_models.files.kinds import ModelDescription, Role
from doppel_models.sentences import Sentence, sentence
from doppel_models.session import Network
from doppel_models.tensor import is_finite
from doppel_models.types import ByteArray, FloatArray

Tensor = npt.NDArray[Any]
_BLACK, _NOT_DARK = 8, 48
"""Levels: a picture all below the first is none, if the filmed one reaches the second."""


class RoleNetwork:
    """Runs a model by roles. One thread at a time."""

    def __init__(self, network: Network, model: ModelDescription) -> None:
        """Join a session with the description of its file.

        Raises:
            EngineError: the two do not belong together.
        """
        names = [[tensor.name for tensor in tensors] for tensors in (model.inputs, model.outputs)]
        if names != [[spec.name for spec in specs] for specs in (network.inputs, network.outputs)]:
            raise EngineError(f"{network.name}: its inputs and outputs are not those of its description")
        self.network, self.model = network, model

    def run(self, inputs: Mapping[Role, Tensor]) -> dict[Role, Tensor]:
        """The outputs by their roles; where several have one role, the first.

        Args:
            inputs: by role; numbers take the input's own type.

        Raises:
            EngineError: an input's role is not given.
            SessionError: the network fails.
        """
        feed = []
        for tensor in self.model.inputs:
            if tensor.role not in inputs:
                raise EngineError(f"{self.network.name}: nothing is known of its input {tensor.name!r}")
            feed.append(np.asarray(inputs[tensor.role], np.dtype(tensor.dtype)))
        outputs: dict[Role, Tensor] = {}
        for tensor, value in zip(self.model.outputs, self.network.run(*feed), strict=True):
            outputs.setdefault(tensor.role, value)
        return outputs


def as_mask(tensor: Tensor, network: str) -> FloatArray:
    """(h, w) float32, as given, of a mask tensor (1, h, w, 1), (1, 1, h, w) or (1, h, w).

    Raises:
        EngineError: it holds values that are not finite; nobody knows then what they leave of the face.
    """
    height, width = (size for size in tensor.shape[1:] if size != 1)
    mask = np.ascontiguousarray(tensor, np.float32).reshape(height, width)
    if not is_finite(mask):
        raise EngineError(no_picture(network))
    return mask


def turned_black(made: ByteArray, given: ByteArray) -> bool:
    """Whether a network made black of a picture (h, w, 3) that is not."""
    return int(made.max()) < _BLACK and int(given.max()) >= _NOT_DARK


def no_picture(network: str) -> Sentence:
    """What is told of a network that gives no numbers."""
    return sentence("engine.no-picture", "{network} gives no picture (not a number)", network=network)


def black_picture(network: str) -> Sentence:
    """What is told of a network that gives black for a face that is not."""
    return sentence("engine.black-picture", "{network} gives a black picture", network=network)
