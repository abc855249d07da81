"""Does anything grow, drift or get lost over a long time? With the real OBS, or with the real worker alone.

* ``python benchmarks/long_run.py --obs 60``: so many minutes of swapping in OBS while it records a camera
  with a microphone (:mod:`benchmarks.long_obs`).
* ``python benchmarks/long_run.py --frames 300000``: so many frames through the worker's process and the ring
  as fast as it judges them, without OBS (:mod:`benchmarks.long_frames`).

``--out FILE.json`` keeps everything that was measured, samples included. A table's row is printed for
``docs/reliability.md``, then what is wrong, each in a sentence; the exit code is 1 where something is. OBS
and Xvfb are needed for the first, a C compiler and the repository's development packages for both.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / name) for name in ("", "shared", "models", "obs_plugin")]


def main() -> None:
    """Runs it; see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--obs", type=float, metavar="MINUTES", help="swap in the real OBS for so long")
    what.add_argument("--frames", type=int, metavar="N", help="send so many frames through the worker alone")
    parser.add_argument("--every", type=float, default=10, metavar="SECONDS", help="between two samples")
    parser.add_argument("--persona", default="bronze", help="the face, or built-in mask")
    parser.add_argument("--out", type=Path, metavar="FILE", help="keeps all that was measured, as JSON")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="OBS's folder (recording, logs), to be kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if options.obs is not None:
            from benchmarks import long_obs

            result = long_obs.run(folder, options.obs, options.every, options.persona)
        else:
            from benchmarks import long_frames

            result = long_frames.run(folder, options.frames, options.persona)
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(
        json.dumps(
            {name: value for name, value in result.items() if name not in ("samples", "sound")}, indent=1
        )
    )
    print(result["row"])
    problems = result["problems"]
    for problem in problems:
        print(f"wrong: {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
