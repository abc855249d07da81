"""``python -m doppel_demo``: renders the demo clip and its landmarks from the portrait."""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import cv2
import numpy as np

from doppel_demo import motion, voice
from doppel_demo.head import Pose
from doppel_demo.interpolation import Array
from doppel_demo.render import Picture, Renderer

_ROOT = Path(__file__).resolve().parents[2]
_WIDTH, _HEIGHT, _FACE_PX = 1280, 720, 300.0


def main() -> None:
    """Renders every frame and writes the clip and the fixture."""
    parser = argparse.ArgumentParser(prog="python -m doppel_demo", description=__doc__)
    fixtures = _ROOT / "tests" / "fixtures"
    parser.add_argument("--portrait", type=Path, default=fixtures / "astronaut.png")
    parser.add_argument("--portrait-landmarks", type=Path, default=fixtures / "astronaut_landmarks.npz")
    parser.add_argument("--clip", type=Path, default=_ROOT / "models" / "doppel_models" / "data" / "demo.mp4")
    parser.add_argument("--landmarks", type=Path, default=fixtures / "demo_landmarks.npz")
    parser.add_argument("--crf", type=int, default=21, help="x264's quality: smaller is better and larger")
    arguments = parser.parse_args()

    bgr = cv2.imread(str(arguments.portrait), cv2.IMREAD_COLOR)
    if bgr is None:
        parser.error(f"{arguments.portrait} is not a picture that can be read")
    with np.load(arguments.portrait_landmarks) as data:
        points = data["points"].astype(np.float64)
    renderer = Renderer(np.ascontiguousarray(bgr[..., ::-1]), points, _WIDTH, _HEIGHT, _FACE_PX)

    moments = [index / motion.FPS for index in range(round(motion.SECONDS * motion.FPS))]
    poses = [motion.pose(seconds) for seconds in moments]
    write_landmarks(arguments.landmarks, [renderer.landmarks(pose) for pose in poses], poses)
    sound = voice.speak(motion.syllables(), motion.SECONDS)
    arguments.clip.parent.mkdir(parents=True, exist_ok=True)
    with ClipWriter(arguments.clip, arguments.crf) as writer:
        for index, pose in enumerate(poses):
            writer.write(renderer.frame(pose))
            if index % 30 == 29:
                print(f"{index + 1} of {len(poses)} frames", flush=True)
        writer.write_sound(sound)


def write_landmarks(path: Path, landmarks: list[Array], poses: list[Pose]) -> None:
    """Save the truth; points as sixteenths of a pixel, each frame's as differences to the frame before."""
    units = np.round(np.stack(landmarks) * 16).astype(np.int16)
    first = np.zeros((1, *units.shape[1:]), np.int16)
    angles = np.array([(pose.yaw, pose.pitch, pose.roll) for pose in poses], np.float32)
    blink = np.array([pose.weights["blink_right"] for pose in poses], np.float32)
    mouth = np.array([pose.weights["jaw"] for pose in poses], np.float32)
    np.savez_compressed(
        path, steps=np.diff(units, axis=0, prepend=first), angles=angles, blink=blink, mouth=mouth
    )


class ClipWriter:
    """Writes H.264 (BT.709, limited range) with AAC sound."""

    def __init__(self, path: Path, crf: int) -> None:
        """Open the file.

        Args:
            path: the MP4 file to write.
            crf: x264's constant rate factor.
        """
        self._container = av.open(str(path), "w", options={"movflags": "+faststart"})
        options = {"crf": str(crf), "preset": "slow", "tune": "film", "x264-params": "keyint=60:threads=1"}
        self._video = self._container.add_stream("libx264", rate=motion.FPS, options=options)
        self._video.width, self._video.height, self._video.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        for name, value in (("color_range", 1), ("colorspace", 1), ("color_primaries", 1), ("color_trc", 1)):
            setattr(self._video.codec_context, name, value)
        self._sound = self._container.add_stream("aac", rate=voice.RATE, layout="mono")
        self._sound.bit_rate = 64000

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._video, self._sound):
            self._container.mux(stream.encode(None))
        self._container.close()

    def write(self, rgb: Picture) -> None:
        """Append one frame."""
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        self._container.mux(self._video.encode(frame))

    def write_sound(self, samples: Array) -> None:
        """Append the whole sound, (n,) in -1..1."""
        frame = av.AudioFrame.from_ndarray(samples.astype(np.float32)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = voice.RATE, Fraction(1, voice.RATE), 0
        self._container.mux(self._sound.encode(frame))


if __name__ == "__main__":
    main()
