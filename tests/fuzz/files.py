"""Files that somebody else has made: pictures, personas, their caches, records and models."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import math
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from doppel_models import canonical, face_texture, persona_import
from doppel_models.engines.mesh.persona import MeshPersona
from doppel_models.errors import ModelFileError, ModelsError, StoreError
from doppel_models.files.onnx_file import parse_onnx
from doppel_models.files.recognise import recognise
from doppel_models.files.record import decode_record
from doppel_models.personas import PersonaStore
from doppel_models.photo_file import MAX_PIXELS, decode_photo
from doppel_worker import slate
from doppel_worker.errors import SlateError
from onnx import helper

from tests.fuzz.mutation import INTERESTING, Mutator
from tests.fuzz.pictures import PICTURES
from tests.support.probes import shapes

_SHA256 = "ab" * 32
_RECORD: dict[str, Any] = {
    "version": 1, "name": "Eileen", "kind": "photo", "engine": "mesh", "files": ["photo-1.png"],
    "look": {"proportions": 1.0, "keep_eyes": True}, "warnings": ["dark"],
    "consent": {"ground": "public-domain", "who": "Jo Doe", "when": "2026-01-31T12:00:00+00:00"},
}  # fmt: skip
_LICENCE = {"licence": "dfm-trainer", "who": "Jo", "when": "2026-01-31T12:00:00+00:00", "ground": "mine"}
_MODEL_PERSONA = {**_RECORD, "kind": "model", "engine": "dfm", "files": ["model.dfm"], "licence": _LICENCE}
_MODEL_RECORD: dict[str, Any] = {
    "version": 1, "sha256": _SHA256, "bytes": 554253681, "name": "inswapper_128", "kind": "inswapper",
    "variant": "128", "pixels": 128, "choice": None, "origin": "https://example.org/inswapper_128.onnx",
    "added": "2026-01-31T12:00:00+00:00", "acceptance": _LICENCE,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Target:
    """One reader and what is done to its files."""

    mutate: Callable[[Mutator], bytes]
    """The next case."""
    judge: Callable[[bytes, Path], bool]
    """Reads it (a folder may be used): True taken, False refused in words; anything raised is a finding."""


# -- pictures


def _mutate_picture(mutator: Mutator, beginning: str = "") -> bytes:
    kind = mutator.chance.choice([kind for kind in PICTURES if kind.startswith(beginning)])
    change = mutator.png if kind.startswith("png") else mutator.bytes
    return change(PICTURES[kind], tuple(PICTURES.values()))


def _judge_picture(data: bytes, folder: Path) -> bool:
    taken = False
    with contextlib.suppress(ModelsError):
        image = decode_photo("a picture", data).image
        assert image.dtype == np.uint8
        assert image.shape[2:] == (3,)
        assert math.prod(image.shape[:2]) <= MAX_PIXELS
        taken = True
    path = folder / "slate"
    path.write_bytes(data)
    with contextlib.suppress(SlateError):
        assert slate.load(path, 64, 36).shape == (36, 64, 3)
        taken = True
    return taken


# -- personas and records


def _mutate_persona(mutator: Mutator) -> bytes:
    return mutator.json_text(mutator.chance.choice((_RECORD, _MODEL_PERSONA)))


def _judge_persona(data: bytes, folder: Path) -> bool:
    store = PersonaStore(folder / "personas")
    home = store.folder / "eileen"
    if not home.is_dir():
        home.mkdir(parents=True)
        (home / "photo-1.png").write_bytes(PICTURES["png"])
        (home / "model.dfm").write_bytes(b"x")
        (home / "outside.png").symlink_to("/etc/hostname")
    (home / "persona.json").write_bytes(data)
    problems = store.problems()
    found = [persona for persona in store.list() if persona.kind != "mask"]
    assert len(found) + len(problems) == 1
    if not found:
        assert 0 < len(problems["eileen"]) < 100_000
        return False
    (persona,) = found
    assert store.get("eileen") == persona
    assert store.find(persona.id) == persona
    for path in persona.paths:
        assert path.resolve().parent == home.resolve()
        assert path.is_file()
    consent, look = persona.consent, persona.look.items()
    said = [
        persona.name,
        consent.who,
        consent.when,
        *persona.warnings,
        *(f"{key} {value}" for key, value in look),
    ]
    for text in said:  # all of it is printed, and sent to OBS
        assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in text)
    return True


def _mutate_record(mutator: Mutator) -> bytes:
    return mutator.json_text(_MODEL_RECORD)


def _judge_record(data: bytes, _folder: Path) -> bool:
    try:
        record = decode_record(data, _SHA256)
    except StoreError:
        return False
    assert record.sha256 == _SHA256
    assert record.bytes > 0
    assert "/" not in record.name
    record.name.encode()
    return True


# -- what the import keeps of a persona


def _cache() -> bytes:
    size = face_texture.SIZE
    buffer = io.BytesIO()
    np.savez(
        buffer,
        texture=np.zeros((size, size, 3), np.uint8),
        known=np.zeros((size, size), np.uint8),
        shape=np.zeros((canonical.VERTEX_COUNT, 3), np.float32),
    )
    return buffer.getvalue()


_CACHE = _cache()
_CACHE_PARTS = tuple(
    start for name in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06") for start in [_CACHE.find(name)]
) + tuple(_CACHE.find(b"\x93NUMPY", at) for at in (0, len(_CACHE) // 2, len(_CACHE) - 40_000))


def _mutate_cache(mutator: Mutator) -> bytes:
    """The headers: the numbers between are any numbers."""
    at = max(mutator.chance.choice(_CACHE_PARTS), 0)
    end = min(at + 400, len(_CACHE))
    return _CACHE[:at] + mutator.bytes(_CACHE[at:end]) + _CACHE[end:]


def _judge_cache(data: bytes, folder: Path) -> bool:
    path = folder / "cache.npz"
    path.write_bytes(data)
    found = persona_import._read_cache(path)
    assert found is None or isinstance(found, MeshPersona)
    return found is not None


# -- models

_MODELS = {
    name: make().SerializeToString()
    for name, make in shapes.USED.items()
    if not name.startswith(("inswapper", "simswap-256", "hyperswap"))
}
_ENDS = 1500
"""The weights fill the middle of a file; what can go wrong stands at both ends."""


def _mutate_model(mutator: Mutator) -> bytes:
    chance = mutator.chance
    data = _MODELS[chance.choice(list(_MODELS))]
    if chance.random() < 0.4:
        return _absurd(mutator, onnx.ModelProto.FromString(data)).SerializeToString()
    if len(data) <= 2 * _ENDS:
        return mutator.bytes(data)
    if chance.random() < 0.5:
        return mutator.bytes(data[:_ENDS]) + data[_ENDS:]
    return data[:-_ENDS] + mutator.bytes(data[-_ENDS:])


def _absurd(mutator: Mutator, model: onnx.ModelProto) -> onnx.ModelProto:
    """A well-formed model in which shapes, types, names, steps or values make no sense."""
    chance, graph = mutator.chance, model.graph
    sizes = [chance.choice((*INTERESTING[:13], 1000, 1 << 40)) for _ in range(chance.randrange(7))]
    what = chance.randrange(7)
    if what == 0:
        value = chance.choice([*graph.input, *graph.output])
        value.type.tensor_type.ClearField("shape")
        for size in sizes:
            value.type.tensor_type.shape.dim.add(dim_value=size)
    elif what == 1:
        place = {
            "location": chance.choice(("../x", "/etc/passwd", "x", "")),
            "length": str(chance.choice(sizes or [1])),
        }
        weight = graph.initializer.add(
            name="w", data_type=chance.randrange(25), dims=sizes, raw_data=b"12345678"
        )
        if chance.random() < 0.5:
            weight.data_location = onnx.TensorProto.EXTERNAL
            weight.ClearField("raw_data")
            for key, text in place.items():
                weight.external_data.add(key=key, value=text)
    elif what == 2:
        kind = chance.choice(
            ("Resize", "Tile", "Expand", "ConstantOfShape", "Range", "Loop", "If", "Pad", "Einsum", "X")
        )
        names = [value.name for value in (*graph.input, *graph.initializer)]
        step = helper.make_node(kind, chance.choices(names, k=chance.randrange(1, 4)), ["made"])
        if chance.random() < 0.3:
            step.attribute.add(name="value", type=onnx.AttributeProto.GRAPH).g.CopyFrom(graph)
        graph.node.insert(chance.randrange(len(graph.node) + 1), step)
    elif what == 3:
        chance.choice(list(graph.input)).type.tensor_type.elem_type = chance.randrange(30)
    elif what == 4:
        graph.ClearField(chance.choice(("input", "output", "node", "initializer", "name")))
    elif what == 5 and graph.initializer:
        weight = chance.choice(list(graph.initializer))
        numbers = np.array(
            [chance.choice(INTERESTING[:12]) for _ in range(math.prod(weight.dims) % 64)], np.int64
        )
        weight.CopyFrom(onnx.numpy_helper.from_array(numbers, weight.name))
    else:
        model.opset_import[0].version = chance.choice((*INTERESTING[:12], 7, 24, 99))
    return model


def _judge_model(data: bytes, folder: Path) -> bool:
    refused = ""
    try:
        description = recognise(parse_onnx(data, folder))
        assert description.inputs
        assert description.outputs
    except ModelFileError as error:
        refused = str(error)
    assert len(refused) < 1500
    return not refused


TARGETS = {
    "pictures": Target(_mutate_picture, _judge_picture),
    **{
        kind: Target(functools.partial(_mutate_picture, beginning=kind), _judge_picture)
        for kind in ("jpeg", "png", "webp")
    },
    "personas": Target(_mutate_persona, _judge_persona),
    "records": Target(_mutate_record, _judge_record),
    "caches": Target(_mutate_cache, _judge_cache),
    "models": Target(_mutate_model, _judge_model),
}
