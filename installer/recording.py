"""Counts the frames of a video file. Runs on the worker's interpreter, which has PyAV.

``python recording.py FILE`` prints ``{"frames": int, "seconds": float, "width": int, "height": int}``, or the
reason why the file is no video, with exit code 1.
"""

from __future__ import annotations

import json
import sys


def measure(path: str) -> dict[str, float]:
    """Frames, length in seconds and size of the first video stream, from its packets."""
    import av

    with av.open(path) as container:
        stream = container.streams.video[0]
        unit = float(stream.time_base or 0)
        times = sorted(p.pts * unit for p in container.demux(stream) if p.pts is not None)
        frames = len(times)
        # The last frame lasts as long as the others do on average.
        seconds = (times[-1] - times[0]) * frames / (frames - 1) if frames > 1 else 0.0
        return {"frames": frames, "seconds": seconds, "width": stream.width, "height": stream.height}


def main(path: str) -> int:
    """Prints the figures or the reason; returns the exit code."""
    try:
        print(json.dumps(measure(path)))
    except (OSError, ValueError, IndexError) as error:  # PyAV's errors are of the first two kinds
        reason = "FFmpeg cannot read it" if isinstance(error, OSError) else "it has no picture"
        print(f"it is no video: {getattr(error, 'strerror', None) or reason}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
