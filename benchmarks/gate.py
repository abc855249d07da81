"""What the gate costs OBS's graphics thread, as a ratio to the two memory copies alone: ``gate.py [--json]``.

Compiles gate.c with the native library's sources and runs it for the usual formats at 720p and 1080p. The
budget is 1.3 for the median and for p99 of one run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
NATIVE = HERE.parent / "shared" / "native"
sys.path.insert(0, str(NATIVE))

import build  # noqa: E402 - beside the C sources

FORMATS = {"I420": 1, "NV12": 2, "YUY2": 4, "BGRA": 7}
SIZES = ((1280, 720), (1920, 1080))
ROUNDS = 1500


def measure(program: Path, width: int, height: int, pixel_format: int) -> dict[str, float]:
    """One run of the compiled benchmark; its JSON."""
    arguments = [str(program), str(width), str(height), str(pixel_format), str(ROUNDS)]
    return json.loads(subprocess.run(arguments, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Builds, runs and prints."""
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "gate"
        sources = [str(HERE / "gate.c"), *(str(NATIVE / name) for name in build.SOURCES)]
        flags = ["-std=c11", "-O3", "-pthread", "-I", str(NATIVE), "-o", str(program)]
        subprocess.run([*build.find_compiler(), *flags, *sources], check=True)
        results = {
            f"{name} {width}x{height}": measure(program, width, height, number)
            for name, number in FORMATS.items()
            for width, height in SIZES
        }
    if "--json" in sys.argv[1:]:
        print(json.dumps(results, indent=1))
        return
    print(
        f"{'':16}{'gate p50':>12}{'copies p50':>12}{'ratio':>8}{'gate p99':>12}{'copies p99':>12}{'ratio':>8}"
    )
    for name, r in results.items():
        cells = [
            f"{r[f'gate_{rank}_ns'] / 1e3:9.0f} us"
            f"{r[f'copies_{rank}_ns'] / 1e3:9.0f} us"
            f"{r[f'ratio_{rank}']:8.2f}"
            for rank in ("p50", "p99")
        ]
        print(f"{name:16}" + "".join(cells))


if __name__ == "__main__":
    main()
