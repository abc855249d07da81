"""How soon a changed setting is seen in the running OBS, with the real worker.

``python benchmarks/changes.py [--changes 30] [--burners 0] [--json]``. Needs OBS Studio, Xvfb, the repository
and its development packages. The faces between which is changed are both loaded; the figures are what a
recording of 30 frames a second shows, so they are whole frames of 33 ms.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / name) for name in ("", "shared", "models", "obs_plugin")]

from benchmarks.obs_run import burning, show  # noqa: E402 - needs the paths above
from installer.display import VirtualDisplay  # noqa: E402
from installer.scene import Scene, media_source  # noqa: E402
from tests.integration.changes import PERSONAS, Lamp, lags_of, record_changes  # noqa: E402
from tests.integration.conftest import build_native, install_config  # noqa: E402
from tests.integration.rig import CAMERA, CANVAS, SCENE, Rig, Setup, face_swap  # noqa: E402
from tests.support.coded_clip import write_coded_clip  # noqa: E402

FRAME_MS = 1000 / 30


def measure(folder: Path, display: str, changes: int) -> dict[str, float]:
    """All figures."""
    clip = folder / "clip.mp4"
    write_coded_clip(clip, *CANVAS, count=360)
    camera = media_source(CAMERA, clip, filters=[face_swap(persona=PERSONAS[0], hold_ms=5000)])
    config = install_config(folder, build_native(folder / "native"), Path(sys.executable))
    with Rig(folder / "obs", display, Setup([camera], [Scene(SCENE, [CAMERA])], config=config)) as rig:
        rig.wait_swapping(timeout=60)
        lamp = Lamp(rig, SCENE, "Lamp")
        record_changes(rig, lamp, CAMERA, 2)  # both faces are loaded now
        before = rig.lane()
        recording = record_changes(rig, lamp, CAMERA, changes)
        lane = rig.lane()
        result = rig.stop()
    lags = lags_of(recording)
    counts = {
        name: lane["frames"][name] - before["frames"][name] for name in ("in", "swapped", "held", "covered")
    }
    return {
        "changes": len(lags),
        "delay frames": lane["delay_frames"],
        "seen after, median ms": round(statistics.median(lags) * FRAME_MS, 1),
        "seen after, longest ms": round(max(lags) * FRAME_MS, 1),
        "of these beyond the delay, median ms": round(
            (statistics.median(lags) - lane["delay_frames"]) * FRAME_MS, 1
        ),
        **{f"frames {name}": count for name, count in counts.items()},
        "OBS frames lagged": result.lagged_frames or 0,
    }


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--changes", type=int, default=30)
    parser.add_argument("--burners", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, VirtualDisplay() as display, burning(options.burners):
        figures = measure(Path(folder), display.name, options.changes)
    show(figures, as_json=options.json)


if __name__ == "__main__":
    main()
