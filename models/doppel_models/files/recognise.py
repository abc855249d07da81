"""Says what a model file is by its inputs, outputs, initializers and nodes; its name is never looked at."""

from __future__ import annotations

from collections import Counter

from doppel_models.errors import AmbiguousModelError, ModelFileError
from doppel_models.files import ports
from doppel_models.files.contracts import CONTRACTS
from doppel_models.files.kinds import ModelDescription, ModelKind
from doppel_models.files.onnx_file import OnnxFile
from doppel_models.files.ports import Ports
from doppel_models.sentences import sentence

KNOWN = (
    "DeepFaceLab models (.dfm), inswapper, hyperswap, simswap, ghost, hififace, uniface, blendswap, ArcFace"
    " recognisers, crossface converters, GFPGAN/GPEN/CodeFormer/RestoreFormer enhancers, and XSeg"
)


def recognise(file: OnnxFile, choice: str | None = None) -> ModelDescription:
    """What a file is.

    Args:
        file: the checked file.
        choice: what the user says it is (:attr:`.kinds.ModelDescription.key`) where the contents leave a
            choice; it cannot make a file something that its contents are not.

    Raises:
        AmbiguousModelError: the contents leave a choice that ``choice`` does not settle.
        ModelFileError: it is nothing that Doppel can use; the message says what was found.
    """
    found = list(candidates(file))
    if choice is not None:
        chosen = [description for description in found if description.key == choice]
        if not chosen:
            fitting = ", ".join(description.key for description in found)
            raise ModelFileError(f"it cannot be {choice}: by its contents it is {fitting}")
        found = chosen
    if len(found) > 1:
        keys = tuple(description.key for description in found)
        raise AmbiguousModelError(
            sentence(
                "model.ambiguous",
                "its contents fit several kinds of model, which want different pictures ({kinds}); say which"
                " it is: `doppel models add FILE --as KIND`",
                kinds=", ".join(keys),
            ),
            keys,
        )
    return found[0]


def candidates(file: OnnxFile) -> tuple[ModelDescription, ...]:
    """Everything that a file can be by its contents; at least one.

    Raises:
        ModelFileError: it is nothing that Doppel can use.
    """
    found = ports.read_ports(file.model.graph)
    ports.refuse_batches(found)
    for contract in CONTRACTS:
        descriptions = contract(file, found)
        if descriptions:
            return descriptions
    unused = _unused_kind(found)
    if unused:
        raise ModelFileError(unused)
    raise ModelFileError(
        sentence(
            "model.unknown",
            "it is no model that Doppel knows. Found: {found}. Known are {known}",
            found=found,
            known=KNOWN,
        )
    )


def _unused_kind(found: Ports) -> str | None:
    """What a file is that is known but of no use here."""
    shapes = {port.shape[1:] for port in found.inputs}
    out = [port.shape[1:] for port in found.outputs]
    if found.outputs and found.outputs[0].channels_first == 19:
        return sentence(
            "model.face-parsing",
            "it is a face parsing network ({kind}); Doppel masks faces without one",
            kind=ModelKind.FACE_PARSING,
        )
    last = Counter(port.shape[-1] for port in found.outputs if port.shape)
    if len(out) in (6, 9) and last[1] == last[4] == len(out) // (2 if len(out) == 6 else 3):
        return sentence(
            "model.detector",
            "it is a face detector (SCRFD or RetinaFace, {kind}); Doppel brings its own",
            kind=ModelKind.DETECTOR,
        )
    if (32, 16, 64, 64) in shapes | set(out) or (len(out) == 1 and shapes == {(126,)}):
        return sentence(
            "model.liveportrait",
            "it is a part of LivePortrait ({kind}), for which Doppel has no engine yet",
            kind=ModelKind.LIVEPORTRAIT,
        )
    return None
