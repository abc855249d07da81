"""Makes the pictures of the README and the docs, in the project's environment, from the demo clip.

``python docs/make_pictures.py``: ``before-after.jpg`` by ``doppel swap``, ``property-page.png`` from the real
OBS under Xvfb (needs OBS Studio, Xvfb and FFmpeg's program with x11grab).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

PROJECT = Path(__file__).resolve().parents[1]
FOLDERS = [str(PROJECT / name) for name in ("", "shared", "models", "obs_plugin")]
sys.path[:0] = FOLDERS

from doppel_ipc.paths import InstallConfig  # noqa: E402 - needs the paths above
from doppel_models.detector import FaceDetector  # noqa: E402
from doppel_models.landmarker import FaceLandmarker  # noqa: E402
from doppel_models.personas import BUILT_INS  # noqa: E402
from doppel_models.still import find_faces  # noqa: E402
from doppel_models.types import ByteArray  # noqa: E402
from doppel_worker.cli.bench import read_clip  # noqa: E402
from doppel_worker.contact_sheet import Row, draw_sheet  # noqa: E402

from benchmarks.synthetic_persons import PERSONS, make  # noqa: E402
from installer.display import VirtualDisplay  # noqa: E402
from installer.scene import FILTER_NAME, Scene, media_source  # noqa: E402
from installer.x11 import place_window  # noqa: E402
from tests.integration.conftest import build_native, install_config  # noqa: E402
from tests.integration.rig import CAMERA, REMOTE, SCENE, SCRIPT, Rig, Setup, face_swap, wait_for  # noqa: E402

PICTURES = PROJECT / "docs" / "pictures"
CLIP = PROJECT / "models" / "doppel_models" / "data" / "demo.mp4"
PORTRAIT = PROJECT / "tests" / "fixtures" / "astronaut.png"
PERSONA = "astronaut"
MASK_FRAME, MASK_PLACE = 15, (slice(80, 560), slice(400, 880))
PICTURES_OF_MASKS = PROJECT / "models" / "doppel_models" / "data" / "masks"
FRAMES = {
    15: "blink",
    294: "open mouth",
    160: "talking",
    126: "31 degrees to the right",
    216: "31 degrees to the left",
    264: "looking up",
}
"""Of the demo clip."""
DRAWN_PERSON = "bearded"
"""Of ``benchmarks/synthetic_persons.py``: he stands for a photo of a streamer's own."""
SCREEN = (1100, 7600)
DIALOG, HIGH_DIALOG = (860, 900), (860, 7240)
"""Width and height, pixels. The dialog gives the preview half of it; into the high one the page fits."""
PAGE_COLUMNS = slice(274, 854)
"""Of the dialog: where the page is."""
PROBE = 560
"""A column of the page, right of all controls, that the groups reach only while there is no scroll bar."""
GROUP, BACKGROUND = (56, 46, 43), (42, 33, 31)
"""Colours of OBS's theme, BGR."""


def before_after() -> None:
    """The demo clip as filmed, with the photo of a person who does not exist, and with two built-in masks."""
    filmed = read_clip(CLIP, max(FRAMES) + 1)
    rows = [Row("filmed", [_cut(filmed[i]) for i in FRAMES], list(FRAMES.values()))]
    with tempfile.TemporaryDirectory() as folder:
        photo = _drawn_person(Path(folder))
        for label, persona in (("a photo", str(photo)), ("porcelain", "porcelain"), ("bronze", "bronze")):
            swapped = _swapped(persona, max(FRAMES), "--consent", "synthetic")
            rows.append(Row(label, [_cut(swapped[i]) for i in FRAMES]))
    sheet = cv2.cvtColor(draw_sheet(rows, 260), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(PICTURES / "before-after.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 88])


def mask_pictures() -> None:
    """What the face list shows of the built-in masks."""
    for mask in BUILT_INS:
        face = _swapped(mask.id, MASK_FRAME)[MASK_FRAME][MASK_PLACE]
        small = cv2.cvtColor(cv2.resize(face, (160, 160), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(PICTURES_OF_MASKS / f"{mask.id}.jpg"), small, [cv2.IMWRITE_JPEG_QUALITY, 90])


def _drawn_person(folder: Path) -> Path:
    """A photo of the drawn person."""
    portrait = np.asarray(cv2.cvtColor(cv2.imread(str(PORTRAIT)), cv2.COLOR_BGR2RGB), np.uint8)
    face = find_faces(portrait, FaceDetector(), FaceLandmarker())[0]
    looks = next(one for one in PERSONS if one.name == DRAWN_PERSON)
    path = folder / "photo.png"
    cv2.imwrite(str(path), cv2.cvtColor(make(looks, portrait, face.landmarks).photo, cv2.COLOR_RGB2BGR))
    return path


def _swapped(persona: str, last: int, *options: str) -> list[ByteArray]:
    """The demo clip's frames up to ``last``, with another face."""
    with tempfile.TemporaryDirectory() as folder:
        short, out = Path(folder) / "in.mp4", Path(folder) / "out.mp4"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", str(CLIP), "-frames:v", str(last + 1), "-crf", "12", str(short)],
            check=True,
        )
        code = f"import sys; sys.path[:0] = {FOLDERS!r}; from doppel_worker.cli import main; main()"
        subprocess.run(
            [
                sys.executable,
                "-c",
                code,
                "swap",
                str(short),
                str(out),
                "--persona",
                persona,
                *options,
                "--json",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return read_clip(out, last + 1)


def property_page() -> None:
    """The filter's page in OBS's own dialog, while it swaps: as it opens, and whole with every setting."""
    with tempfile.TemporaryDirectory() as name, VirtualDisplay(*SCREEN) as display:
        folder = Path(name)
        config = install_config(folder, build_native(folder / "native"), Path(sys.executable))
        _add_persona(config)
        source = media_source(CAMERA, CLIP, filters=[face_swap(persona="bronze")])
        setup = Setup(
            sources=[source], scenes=[Scene(SCENE, [CAMERA])], scripts=(REMOTE, SCRIPT), config=config
        )
        with Rig(folder / "obs", display.name, setup) as rig:
            rig.wait_swapping()
            wait_for(lambda: " fps" in _status(rig), 60, "the figures are not shown")
            rig.request("OpenInputFiltersDialog", inputName=CAMERA)
            _shoot(rig, display.name, DIALOG, "property-page.png")
            rig.set_filter(show_advanced=True, persona=PERSONA, cover="slate", person1_who="rightmost")
            wait_for(lambda: rig.lane()["persona"] == PERSONA, 30, "the other face is not used")
            rig.remote("press", CAMERA, FILTER_NAME, "refresh")
            _shoot(rig, display.name, HIGH_DIALOG, "property-page-all.png")
            rig.stop()
    whole = PICTURES / "property-page-all.png"
    cv2.imwrite(str(whole), _in_two_columns(np.asarray(cv2.imread(str(whole)), np.uint8)))


def _in_two_columns(dialog: ByteArray) -> ByteArray:
    """The dialog's page, parted between two groups: a picture of that height could not be read.

    Raises:
        SystemExit: there is a scroll bar, so not all of the page is seen.
    """
    page = dialog[:, PAGE_COLUMNS]
    edges = np.diff((page[:, PROBE] == GROUP).all(axis=1).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1) + 1, np.flatnonzero(edges == -1) + 1
    if len(starts) < 2:
        raise SystemExit("the page is higher than the dialog: make HIGH_DIALOG higher")
    above = (page[: starts[0], PROBE] != BACKGROUND).any(axis=1)
    margin = int(starts[1] - ends[0]) // 2
    # Below the dots with which the preview is made higher.
    top, bottom = int(np.flatnonzero(above)[-1]) + 1 + margin, int(ends[-1]) + margin
    gaps = (ends[:-1] + starts[1:]) // 2
    middle = int(gaps[np.argmin(np.abs(gaps - (top + bottom) // 2))])
    left, right = page[top:middle], page[middle:bottom]
    height = max(len(left), len(right))
    columns = np.full((height, 2 * page.shape[1], 3), BACKGROUND, np.uint8)
    columns[: len(left), : page.shape[1]], columns[: len(right), page.shape[1] :] = left, right
    return columns


def _shoot(rig: Rig, display: str, size: tuple[int, int], name: str) -> None:
    """A picture of the filter dialog, without the pointer."""
    time.sleep(2)  # the dialog says nothing when it has been drawn
    wait_for(
        lambda: place_window(display, rig.pid, "Filters for", (0, 0, *size)), 20, "the dialog is not there"
    )
    time.sleep(2)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "x11grab", "-draw_mouse", "0", "-video_size",
         f"{size[0]}x{size[1]}", "-i", display, "-frames:v", "1", str(PICTURES / name)],
        check=True,
    )  # fmt: skip


def _add_persona(config: InstallConfig) -> None:
    """The public-domain portrait as a face to choose."""
    code = f"import sys; sys.path[:0] = {FOLDERS!r}; from doppel_worker.cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", code, "persona", "add", str(PORTRAIT), "--name", PERSONA.capitalize(),
         "--consent", "public-domain", "--dir", str(config.persona_dir), "--json"],
        check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _status(rig: Rig) -> str:
    return str(rig.remote("page", CAMERA, FILTER_NAME)["status"]["text"])


def _cut(picture: ByteArray) -> ByteArray:
    return picture[:, 320:960]


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    PICTURES_OF_MASKS.mkdir(parents=True, exist_ok=True)
    before_after()
    mask_pictures()
    property_page()
