"""Engines from model files for personas: found, checked, or refused in words while the previous one stays."""

from __future__ import annotations

import dataclasses
import functools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from doppel_ipc.settings import FilterSettings
from doppel_ipc.verdict import Verdict
from doppel_models.files.kinds import ModelKind
from doppel_models.files.licences import accept, licence_of
from doppel_models.files.model import open_model
from doppel_models.files.store import ModelStore
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import Consent, Persona, PersonaStore
from doppel_worker.assets import PersonaKey, PersonaLoader, PersonaSlot
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.errors import PersonaError
from doppel_worker.model_engines import ModelEngines
from doppel_worker.persona_engines import PersonaEngines
from doppel_worker.pipeline import FacePipeline
from doppel_worker.report import EventKind

from tests.support.frames import rgba_frame
from tests.support.networks import detector, landmarker
from tests.support.portrait import FIXTURES
from tests.support.probes import build
from tests.support.probes.stage import PLAIN, picture

CONSENT = Consent("synthetic", "a test", "2026-01-01T00:00:00+00:00")


class House:
    """A user's personas and models."""

    def __init__(self, folder: Path, photos: Path) -> None:
        self.folder = folder
        shutil.copytree(photos, folder / "personas")
        self.personas = PersonaStore(folder / "personas")
        self.models = ModelStore(folder / "models")
        self.told: list[str] = []
        engines = ModelEngines(importer(), self.models, show_licence=self.told.append)
        self.engines = PersonaEngines(self.personas, importer(), engines)
        self.photo = self.personas.get("eileen")

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / "files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path

    def store(self, data: bytes, name: str, choice: str | None = None) -> None:
        model = open_model(self.file(f"{name}.onnx", data), choice)
        licence = licence_of(model.description.kind, model.description.variant)
        self.models.add(model, accept(licence, "a test", "made by a test"), name=name, choice=choice)
        (self.folder / "files" / f"{name}.onnx").unlink()

    def trained(self, data: bytes) -> Persona:
        path = self.file("somebody.dfm", data)
        licence = licence_of(ModelKind.DFM, "")
        return self.personas.save_model(
            "Somebody", open_model(path), accept(licence, "a test", "made"), CONSENT
        )


@functools.cache
def importer() -> PersonaImporter:
    return PersonaImporter()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Personas with one of a photo: looking at it takes a second."""
    folder = tmp_path_factory.mktemp("photos")
    importer().add(PersonaStore(folder), [FIXTURES / "astronaut.png"], "Eileen", CONSENT)
    return folder


@pytest.fixture
def house(tmp_path: Path, photos: Path) -> House:
    return House(tmp_path, photos)


def test_a_photo_wears_the_model_file_that_is_named_with_the_recogniser_beside_it(house: House) -> None:
    engine = house.file("whatever.onnx", build.swapper("inswapper", build.scale_channels))
    house.file("another.onnx", build.arcface())
    loaded = house.engines.load(PersonaKey(house.photo.id, str(engine)))
    assert loaded.name == "inswapper"
    assert [text.partition(":")[0] for text in house.told] == ["whatever.onnx", "another.onnx"]
    assert all("non-commercial" in text for text in house.told)


def test_where_nobody_sees_a_licence_only_files_that_were_added_are_used(house: House) -> None:
    unseen = PersonaEngines(house.personas, importer(), ModelEngines(importer(), house.models))
    data = build.swapper("inswapper", build.scale_channels)
    engine = house.file("whatever.onnx", data)
    helper = house.file("another.onnx", build.arcface())
    with pytest.raises(PersonaError, match=r"whatever.onnx .*licence .* was not accepted.*models add"):
        unseen.load(PersonaKey(house.photo.id, str(engine)))
    house.store(data, "my swapper")
    with pytest.raises(PersonaError, match=r"another.onnx .* was not accepted"):
        unseen.load(PersonaKey(house.photo.id, str(engine)))
    house.store(helper.read_bytes(), "my recogniser")
    assert unseen.load(PersonaKey(house.photo.id, str(engine))).name == "inswapper"


def test_a_photo_wears_a_stored_model_with_stored_helpers(house: House) -> None:
    house.store(build.swapper("ghost", build.scale_channels), "my ghost")
    house.store(build.arcface(), "w600k_r50")
    with pytest.raises(PersonaError, match="crossface model for ghost"):
        house.engines.load(PersonaKey(house.photo.id, "my ghost"))
    house.store(build.crossface("simswap"), "crossing", "crossface-simswap")
    with pytest.raises(PersonaError, match="crossface model for ghost"):
        house.engines.load(PersonaKey(house.photo.id, "my ghost"))
    house.store(build.crossface("ghost"), "crossing too", "crossface-ghost")
    assert house.engines.load(PersonaKey(house.photo.id, "my ghost")).name == "ghost"


def test_a_model_persona_is_worn_by_itself(house: House) -> None:
    persona = house.trained(build.dfm(build.scale_channels))
    assert (persona.kind, persona.engine, persona.consent) == ("model", "dfm", CONSENT)
    assert house.engines.load(PersonaKey(persona.id)).name == "dfm"
    with pytest.raises(PersonaError, match="a model of its own"):
        house.engines.load(PersonaKey(persona.id, "mesh"))


@pytest.mark.parametrize("taken", ["consent", "licence"])
def test_without_consent_or_licence_a_model_persona_is_not_worn(taken: str, house: House) -> None:
    persona = house.trained(build.dfm(build.scale_channels))
    path = persona.paths[0].parent / "persona.json"
    record = json.loads(path.read_text())
    del record[taken]
    path.write_text(json.dumps(record))
    with pytest.raises(PersonaError, match=taken):
        house.engines.load(PersonaKey(persona.id))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("black.onnx", "black", "black"),
        ("cut.onnx", "cut", "cut short|damaged"),
        ("text.onnx", "text", "ONNX"),
        ("somebody.dfm", "dfm", "trained for one face"),
        ("recogniser.onnx", "arcface", "not a model that makes a face"),
        ("gone.onnx", "", "no model file"),
    ],
)
def test_an_engine_that_cannot_be_used_is_refused_with_a_reason(
    name: str, data: str, words: str, house: House
) -> None:
    made = {
        "black": lambda: build.swapper("uniface", build.paint(np.zeros((256, 256, 3)))),
        "cut": lambda: build.swapper("uniface", build.scale_channels)[:-40],
        "text": lambda: b"hello" * 100,
        "dfm": lambda: build.dfm(build.scale_channels),
        "arcface": build.arcface,
    }
    path = house.file(name, made[data]()) if data else house.folder / name
    with pytest.raises(PersonaError, match=words):
        house.engines.load(PersonaKey(house.photo.id, str(path)))


@pytest.mark.parametrize("reference", ["~nobody-of-that-name/x.onnx", "x" * 300 + ".onnx", "a\0b.onnx"])
@pytest.mark.parametrize("part", ["engine", "enhancer", "occlusion"])
def test_a_path_that_the_system_refuses_is_told_and_ends_no_lane(
    reference: str, part: str, house: House
) -> None:
    engine = house.file("good.onnx", build.swapper("uniface", build.scale_channels))
    key = dataclasses.replace(PersonaKey(house.photo.id, str(engine)), **{part: reference})
    loader = PersonaLoader(house.engines.load, house.engines.revision)
    with pytest.raises(PersonaError, match="there is no model file"):
        loader.wait(key, 60)
    loader.close()


def test_a_one_photo_model_needs_a_photo(house: House) -> None:
    engine = house.file("any.onnx", build.swapper("uniface", build.scale_channels))
    with pytest.raises(PersonaError, match="photo"):
        house.engines.load(PersonaKey("porcelain", str(engine)))


def test_when_a_models_persona_breaks_the_previous_one_stays_and_the_status_line_says_why(
    house: House,
) -> None:
    good = house.file("good.onnx", build.swapper("uniface", build.scale_channels))
    broken = house.file("bad.onnx", build.swapper("uniface", build.paint(np.full((256, 256, 3), 0.5))))
    loader = PersonaLoader(house.engines.load)
    pipeline = FacePipeline(CpuCompositor(), detector(), landmarker(), loader)
    settings = FilterSettings().replace(**{**PLAIN, "persona": house.photo.id, "engine": str(good)})
    lane = pipeline.new_lane(settings)
    loader.wait(PersonaKey.of(settings), 60)
    assert pipeline.process(rgba_frame(picture(), 1), lane).verdict is Verdict.SWAPPED
    lane.settings = settings.replace(engine=str(broken))
    with pytest.raises(PersonaError):
        loader.wait(PersonaKey.of(lane.settings), 60)
    report = pipeline.process(rgba_frame(picture(), 2), lane)
    assert report.verdict is Verdict.SWAPPED
    assert "one colour" in report.status
    assert "stays" in report.status
    assert [event.kind for event in report.events] == [EventKind.PERSONA]
    loader.close()


def _elsewhere(data: bytes, location: str) -> bytes:
    """The model, whose first weight is said to lie in another file."""
    model = onnx.load_from_string(data)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.ClearField("float_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return bytes(model.SerializeToString())


def _reshaped(data: bytes, port: int, dimension: int, size: int) -> bytes:
    model = onnx.load_from_string(data)
    model.graph.input[port].type.tensor_type.shape.dim[dimension].dim_value = size
    return bytes(model.SerializeToString())


def _hostile_files(data: bytes) -> Iterator[bytes]:
    """Two hundred: cut short, other files under its name, other shapes, weights where none may be read."""
    yield from (data[: len(data) * part // 120] for part in range(120))
    heads = (
        b"\x80\x04",
        b"PK\x03\x04",
        b"\x89PNG",
        b"\x7fELF",
        b"MZ",
        b"<html>",
        b"{}",
        b"version https://git-lfs",
    )
    yield from (head + bytes(64) for head in heads)
    sizes = (1 << 20, 4096, 2, 3, 17, 1 << 16)
    yield from (
        _reshaped(data, 0, axis, size) for axis in (0, 1, 2) for size in sizes if (axis, size) != (1, 3)
    )
    climbs = ("../" * depth + name for depth in range(1, 12) for name in ("w.bin", "etc/passwd", "dev/zero"))
    yield from (_elsewhere(data, location) for location in climbs)
    absolute = (
        "/etc/passwd",
        "/dev/zero",
        "C:\\w.bin",
        "\\\\host\\w",
        "",
        "/",
        "a/../../w",
        "w\0",
        "..\\w",
        ".",
        "none",
        "~/w",
    )
    yield from (_elsewhere(data, location) for location in absolute)
    yield from (bytes(size) for size in (1, 7, 64, 4096, 1 << 20))


def test_hundreds_of_hostile_files_are_each_refused_and_the_running_engine_stays(house: House) -> None:
    data = build.swapper("uniface", build.scale_channels)
    good = PersonaKey(house.photo.id, str(house.file("good.onnx", data)))
    loader, slot = PersonaLoader(house.engines.load), PersonaSlot()
    running = loader.wait(good, 60)
    slot.follow(good, loader)
    refused = 0
    for number, content in enumerate(_hostile_files(data)):
        bad = PersonaKey(house.photo.id, str(house.file(f"bad-{number}.onnx", content)))
        with pytest.raises(PersonaError, match=rf"bad-{number}\.onnx cannot be used: .{{10}}"):
            loader.wait(bad, 60)
        assert slot.follow(bad, loader)[0].endswith("stays")
        refused += 1
    house.store(data, "stored")
    record = house.models.find("stored")
    for bit in range(0, 8 * len(data), max(8 * len(data) // 60, 1)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        house.models.path(record.sha256).write_bytes(flipped)
        with pytest.raises(PersonaError, match=r"changed or damaged|cannot be used: .{10}"):
            house.engines.load(PersonaKey(house.photo.id, "stored"))
        refused += 1
    assert refused >= 240
    assert slot.engine is running
    loader.close()
