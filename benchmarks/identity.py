"""How well a swapped video carries the persona: identity, steadiness, expression.

``python benchmarks/identity.py --persona PHOTO --models FOLDER CLIP... [--every 10] [--set KEY=VALUE]``
``python benchmarks/identity.py --table --models FOLDER [CLIP...] [--only TEXT]... [--sheets FOLDER]``

The judge of identity is dlib's face recognition ResNet (http://dlib.net/face_recognition.py.html; two
descriptors less than 0.6 apart are one person), which Doppel itself does not use. It is no dependency of the
project: run this with a Python that has the project's packages and PyPI ``dlib-bin`` (measured with
20.0.1.post1). FOLDER holds dlib's ``shape_predictor_5_face_landmarks.dat`` and
``dlib_face_recognition_resnet_model_v1.dat``, as in PyPI ``face-recognition-models`` 0.3.0.

Each clip is swapped by ``doppel swap`` without the label, then, clip by clip:

* ``to_persona``, ``to_filmed``: median distance of every n-th swapped frame to the persona's photo and to the
  filmed frame; ``margin``: median of their difference; ``same_share``: frames nearer than 0.6 to the persona.
* ``lids``: how deep the swapped lids sink where the filmed ones are half shut, and where they are shut.
* ``jitter``: second difference in time of the landmarks as the network reads them from each frame, median, in
  percent of the face's width. ``flicker``: the same of the face's mean colour, of 255.
* ``blink``: depth of the blinks, 1 - (2nd percentile of the eye opening / its median). ``mouth``: 98th less
  5th percentile of the mouth's opening over its width. Swapped over filmed: 1 is faithful.

``--table`` runs over many more: the portrait that the project ships as others might have photographed it, the
last clip as other cameras might have filmed it, the man of the clips as the persona on the demo clip, and
synthetic persons as persona and as filmed (``identity_table.py``). One line each; ``!`` marks what misses a
target. ``--sheets`` draws a contact sheet for each line: figures alone fool.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from identity_judge import FOLDERS, Filmed, Judge

# The judge's module has set the paths.
from doppel_models.persona_import import PersonaImporter  # isort: skip
from doppel_models.types import ByteArray  # isort: skip
from doppel_worker.cli.bench import read_clip  # isort: skip
from identity_table import cases, headline, line, run  # isort: skip

TARGETS = {"to_persona": 0.45, "same_share": 0.97, "margin": 0.23, "expression": 0.25}


def swap(clip: Path, out: Path, persona: Path, settings: list[str]) -> None:
    """``doppel swap`` in a process of its own, without the label."""
    options = [item for setting in ["label=off", *settings] for item in ("--set", setting)]
    code = f"import sys; sys.path[:0] = {FOLDERS!r}; from doppel_worker.cli import main; main()"
    command = [sys.executable, "-c", code, "swap", str(clip), str(out), "--persona", str(persona)]
    subprocess.run(
        [*command, "--consent", "public-domain", *options, "--json"], check=True, stdout=subprocess.DEVNULL
    )


def judge_clips(arguments: argparse.Namespace, judge: Judge) -> dict[str, Any]:
    """The figures of each clip, swapped by ``doppel swap``."""
    bgr = cv2.imread(str(arguments.persona))
    if bgr is None:
        raise SystemExit(f"{arguments.persona} is no picture that can be read")
    persona: ByteArray = np.ascontiguousarray(bgr[..., ::-1], np.uint8)
    results: dict[str, Any] = {"targets": TARGETS}
    for clip in arguments.clips:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "swapped.mp4"
            swap(clip, out, arguments.persona, arguments.settings)
            filmed, swapped = read_clip(clip, sys.maxsize), read_clip(out, sys.maxsize)
        results[clip.stem] = Filmed(filmed, judge, arguments.every).evaluate(swapped, persona)
    return results


def main() -> None:
    """Parse the arguments, swap, judge, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, nargs="*")
    parser.add_argument("--persona", type=Path, help="a photo; not with --table")
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument(
        "--table", action="store_true", help="the wide table of variants and synthetic persons"
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="TEXT",
        help="only lines of the table with this text in 'persona on clip;'; may be given several times",
    )
    parser.add_argument("--sheets", type=Path, help="folder for the table's contact sheets")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    judge = Judge(arguments.models)
    if not arguments.table:
        if arguments.persona is None or not arguments.clips:
            parser.error("give --persona and at least one clip, or --table")
        print(json.dumps(judge_clips(arguments, judge), indent=2))
        return
    if arguments.sheets is not None:
        arguments.sheets.mkdir(parents=True, exist_ok=True)
    importer = PersonaImporter()
    print(headline())
    filmed: Filmed | None = None
    for case in cases(arguments.clips, arguments.only):
        if filmed is None or filmed.pictures is not case.clip.pictures:
            filmed = Filmed(case.clip.pictures, judge, arguments.every)
        print(line(run(case, filmed, importer, arguments.sheets), TARGETS), flush=True)


if __name__ == "__main__":
    main()
