"""Model files in the real OBS: what a probe paints is found in the recording, where the face is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from doppel_ipc.paths import InstallConfig
from doppel_models.files.kinds import ModelKind
from doppel_models.files.licences import accept, licence_of
from doppel_models.files.model import open_model
from doppel_models.files.store import ModelStore
from doppel_models.persona_import import PersonaImporter
from doppel_models.personas import Consent, PersonaStore
from doppel_models.types import ByteArray

from installer.scene import Scene, media_source
from tests.integration.leftovers import assert_clean
from tests.integration.rig import CAMERA, SCENE, Rig, Setup, face_swap
from tests.integration.stage import assert_nothing_unjudged, judged
from tests.support.demo_clip import demo_truth
from tests.support.judge import Judge, Judgement, Verdict
from tests.support.portrait import FIXTURES
from tests.support.probes import build
from tests.support.probes.contracts import CONTRACTS, Contract
from tests.support.probes.stage import contract_matrix
from tests.support.video import read_video

CONSENT = Consent("public-domain", "a test", "2026-01-01T00:00:00+00:00")
LOOK = {"keep_mouth": False, "keep_eyes": False, "color_match": "none", "edge_softness": 0.2, "hold_ms": 5000}
DISCS = {(0.40, 0.44): (0.9, 0.1, 0.1), (0.60, 0.44): (0.1, 0.8, 0.1), (0.50, 0.60): (0.1, 0.2, 0.95)}
"""Place in the crop, its sides 1: colour, RGB."""
RADIUS = 0.05


def discs(size: int) -> build.Picture:
    """Light gray with a red, a green and a blue disc."""
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size
    shown = np.full((size, size, 3), 0.7)
    for (u, v), color in DISCS.items():
        shown[np.hypot(x - u, y - v) < RADIUS] = color
    return shown


def found_at(rgb: ByteArray, due: np.ndarray, color: tuple[float, float, float], reach: int) -> np.ndarray:
    """Middle of the pixels that are nearer to a colour than to gray, near a place."""
    x0, y0 = np.maximum(np.rint(due - reach).astype(int), 0)
    part = rgb[y0 : y0 + 2 * reach + 1, x0 : x0 + 2 * reach + 1].astype(np.float64)
    to_color, to_gray = (np.abs(part - 255 * np.asarray(c)).sum(axis=2) for c in (color, (0.7, 0.7, 0.7)))
    rows, columns = np.nonzero(to_color < to_gray)
    assert len(rows) > 8, "the disc is not there"
    return np.array([x0 + columns.mean(), y0 + rows.mean()])


@pytest.mark.parametrize("name", ["dfm", "inswapper"])
def test_what_a_model_paints_is_recorded_where_the_face_is(
    name: str,
    start_obs: Callable[[Setup], Rig],
    real_config: InstallConfig,
    clip: Path,
    judge: Judge,
    tmp_path: Path,
) -> None:
    contract = CONTRACTS[name]
    store = PersonaStore(real_config.persona_dir)
    settings: dict[str, object] = dict(LOOK)
    if name == "dfm":
        model = tmp_path / "somebody.dfm"
        model.write_bytes(build.dfm(build.paint(discs(contract.size)), size=contract.size))
        acceptance = accept(licence_of(ModelKind.DFM, ""), "a test", "made by a test")
        persona = store.save_model("Somebody", open_model(model), acceptance, CONSENT)
    else:
        folder = tmp_path / "files"
        folder.mkdir()
        (folder / "swapper.onnx").write_bytes(build.swapper(name, build.paint(discs(contract.size))))
        (folder / "recogniser.onnx").write_bytes(build.arcface())
        models = ModelStore(store.folder.parent / "models")
        for file in folder.iterdir():
            added = open_model(file)
            licence = licence_of(added.description.kind, added.description.variant)
            models.add(added, accept(licence, "a test"))
        persona, _ = PersonaImporter().add(store, [FIXTURES / "astronaut.png"], "Eileen", CONSENT)
        settings["engine"] = str(folder / "swapper.onnx")
    camera = media_source(CAMERA, clip, filters=[face_swap(persona=persona.id, **settings)])
    rig = start_obs(Setup([camera], [Scene(SCENE, [CAMERA])], config=real_config, record=True))
    rig.wait_swapping(timeout=60)
    rig.more_frames(85)  # the clip's face is turned far for 46 frames in a row, twice
    worn = rig.lane()["persona"]
    recording = rig.stop_recording()

    assert worn == persona.id
    judgements = judged(judge, recording)
    assert_nothing_unjudged(judgements)
    errors = disc_errors(recording, numbers_of(judgements), contract)
    assert len(errors) > 60
    # The encoder, the landmark network and the smoothing of its points have their part in it.
    assert np.median(errors) < 2.5
    assert np.quantile(errors, 0.9) < 5
    result = rig.stop()
    assert_clean(result)


def numbers_of(judgements: Sequence[Judgement]) -> list[int | None]:
    """The clip's number of every frame that is swapped; the judge may take the plain picture for a blur."""
    shown = (Verdict.SWAPPED, Verdict.BLURRED)
    return [item.frame_number if item.verdict in shown else None for item in judgements]


def disc_errors(recording: Path, numbers: list[int | None], contract: Contract) -> list[float]:
    """Distance of every disc from where it is due, pixels; frames of a face turned far are left out."""
    truth = demo_truth()
    points = truth.scaled(640, 360)
    errors = []
    for number, (_, rgb) in zip(numbers, read_video(recording), strict=True):
        if number is None or abs(truth.angles[number % len(points), 0]) > 15:
            continue
        matrix = contract_matrix(contract, points[number % len(points)], contract.size)
        inverse = np.linalg.inv(matrix[:, :2])
        reach = round(1.6 * RADIUS * contract.size * np.sqrt(np.linalg.det(inverse)))
        for place, color in DISCS.items():
            due = inverse @ (np.array(place) * contract.size - 0.5 - matrix[:, 2])
            errors.append(float(np.linalg.norm(found_at(rgb, due, color, reach) - due)))
    return errors
