"""``doppel swap`` on short generated clips with sound."""

from __future__ import annotations

import json
import resource
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from doppel_ipc.errors import IpcError
from doppel_models.errors import ModelsError
from doppel_models.types import ByteArray
from doppel_worker.cli import main
from doppel_worker.cli.app import app
from doppel_worker.errors import WorkerError
from typer.testing import CliRunner

from tests.support.faces import room
from tests.support.portrait import FIXTURES, astronaut, paste_head

PHOTO = FIXTURES / "astronaut.png"
WIDTH, HEIGHT, COUNT = 320, 240, 14
FACE = (slice(95, 145), slice(135, 185))
"""Inside the face of the clips."""
EVEN = [index * 512 for index in range(COUNT)]
UNEVEN = [0, 512, 1024, 1100, 2500, 3000, 3512, 6000, 6100, 6200, 7000, 9000, 9512, 10024]
"""Time stamps in units of 1/15360 s: a camera that stutters."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOPPEL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def pictures() -> list[ByteArray]:
    shown = []
    for index in range(COUNT):
        canvas = room(WIDTH, HEIGHT)
        paste_head(canvas, astronaut(), center=(160.0 + index / 2, 120.0), height=110.0)
        shown.append(canvas)
    return shown


def write_clip(
    path: Path,
    stamps: list[int] = EVEN,
    *,
    sound: bool = True,
    sound_rate: int = 48000,
    sound_layout: str = "mono",
    space: int = 1,
    full_range: bool = False,
    pixel_format: str = "yuv420p",
    aspect: Fraction = Fraction(1),
    rotation: int = 0,
) -> Path:
    """A clip of a head, H.264, with a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30, options={"crf": "10", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, pixel_format
        video.codec_context.time_base = Fraction(1, 15360)
        video.codec_context.colorspace, video.codec_context.color_range = space, 2 if full_range else 1
        video.codec_context.sample_aspect_ratio = aspect
        if rotation:
            video.set_display_rotation(rotation)
        audio = container.add_stream("aac", rate=sound_rate) if sound else None
        if audio is not None:
            audio.layout = sound_layout
        for stamp, picture in zip(stamps, pictures(), strict=True):
            frame = VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format=pixel_format,
                dst_colorspace="ITU709" if space == 1 else "ITU601",
                dst_color_range="JPEG" if full_range else "MPEG",
            )
            frame.pts, frame.time_base = stamp, Fraction(1, 15360)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            tone = (np.sin(np.arange(sound_rate // 2) * 0.05) * 0.3).astype(np.float32)
            channels = np.ascontiguousarray(np.tile(tone, (audio.layout.nb_channels, 1)))
            sampled = av.AudioFrame.from_ndarray(channels, format="fltp", layout=sound_layout)
            sampled.sample_rate, sampled.pts = sound_rate, 0
            container.mux(audio.encode(sampled))
            container.mux(audio.encode(None))
    return path


def frames_of(path: Path) -> tuple[list[Fraction], list[ByteArray], VideoFrame]:
    """Times, pictures and the first frame."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        times = [frame.pts * frame.time_base for frame in frames]
        shown = []
        for frame in frames:
            matrix = "ITU709" if int(frame.colorspace) == 1 else "ITU601"
            shown.append(
                np.asarray(frame.reformat(format="rgb24", src_colorspace=matrix).to_ndarray(), np.uint8)
            )
        return times, shown, frames[0]


def sound_of(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def run(*arguments: object) -> dict[str, object]:
    """Run the command with ``--json``; its errors are raised."""
    outcome = CliRunner().invoke(app, [str(one) for one in (*arguments, "--json")], catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    figures: dict[str, object] = json.loads(outcome.stdout)
    return figures


@pytest.mark.parametrize("stamps", [EVEN, UNEVEN], ids=["even", "uneven"])
def test_frame_i_of_the_output_is_frame_i_of_the_input(stamps: list[int], tmp_path: Path) -> None:
    source, target = write_clip(tmp_path / "in.mp4", stamps), tmp_path / "out.mp4"
    figures = run("swap", source, target, "--persona", "porcelain", "--set", "label=off")
    assert figures["frames"] == figures["swapped"] == COUNT
    assert set(figures["stage_ms"]) >= {"track", "swap", "paste"}
    times_in, shown_in, first_in = frames_of(source)
    times_out, shown_out, first_out = frames_of(target)
    assert times_out == times_in
    assert (first_out.width, first_out.height) == (WIDTH, HEIGHT)
    assert (first_out.colorspace, first_out.color_range) == (first_in.colorspace, first_in.color_range)
    for before, after in zip(shown_in, shown_out, strict=True):
        difference = np.abs(after.astype(int) - before)
        assert difference[FACE].mean() > 8
        # Only the encoder has touched what is not the face.
        assert difference[:, :60].mean() < 1.5
        assert difference[:, 260:].mean() < 1.5
    assert sound_of(target) == sound_of(source)


@pytest.mark.parametrize(("space", "full_range"), [(6, False), (1, True), (5, True)])
def test_the_colours_stay_what_they_were(space: int, full_range: bool, tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", space=space, full_range=full_range)
    target = tmp_path / "out.mkv"
    run("swap", source, target, "--persona", "porcelain", "--set", "strength=0", "--set", "label=off")
    _, shown_in, first_in = frames_of(source)
    _, shown_out, first_out = frames_of(target)
    assert (first_out.colorspace, first_out.color_range) == (first_in.colorspace, first_in.color_range)
    assert np.abs(shown_out[5].astype(int) - shown_in[5]).mean() < 1.5


@pytest.mark.parametrize("pixel_format", ["yuv422p", "yuv444p", "yuv420p10le"])
def test_other_pixel_formats_are_swapped(pixel_format: str, tmp_path: Path) -> None:
    source, target = write_clip(tmp_path / "in.mp4", pixel_format=pixel_format), tmp_path / "out.mp4"
    figures = run("swap", source, target, "--persona", "porcelain")
    assert figures["swapped"] == COUNT
    told = ["the output loses 2 of its 10 bits a sample"] if "10" in pixel_format else []
    assert figures["events"] == ["now using porcelain", *told]
    _, shown_in, _ = frames_of(source)
    _, shown_out, first = frames_of(target)
    assert first.format.name == ("yuv420p" if "10" in pixel_format else pixel_format)
    assert np.abs(shown_out[5].astype(int) - shown_in[5])[:, :60].mean() < 1.5


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_turned_clip_comes_out_upright_with_pixels_of_its_shape(rotation: int, tmp_path: Path) -> None:
    aspect = Fraction(4, 3)
    source = write_clip(tmp_path / "in.mp4", sound=False, aspect=aspect, rotation=rotation)
    target = tmp_path / "out.mp4"
    run("swap", source, target, "--persona", "porcelain", "--set", "strength=0", "--set", "label=off")
    _, shown_in, first_in = frames_of(source)
    _, shown_out, first_out = frames_of(target)
    assert (round(first_in.rotation) % 360, round(first_out.rotation)) == (rotation, 0)
    upright = np.rot90(shown_in[5], rotation // 90)
    assert shown_out[5].shape == upright.shape
    # Two corners: a face that lies on its side or upside down is hidden.
    for corner in (slice(None, 40), slice(None, 40)), (slice(-40, None), slice(-40, None)):
        assert np.abs(shown_out[5][corner].astype(int) - upright[corner]).mean() < 3
    with av.open(str(target)) as container:
        shape = container.streams.video[0].codec_context.sample_aspect_ratio
    assert shape == (1 / aspect if rotation % 180 else aspect)


@pytest.mark.parametrize(("rate", "layout"), [(48000, "mono"), (44100, "stereo"), (96000, "5.1(side)")])
def test_sound_that_the_container_does_not_take_is_coded_anew(rate: int, layout: str, tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", sound_rate=rate, sound_layout=layout)
    target = tmp_path / "out.webm"
    assert run("swap", source, target, "--persona", "porcelain")["frames"] == COUNT
    with av.open(str(target)) as container:
        assert container.streams.audio[0].codec_context.name in ("opus", "libopus")
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert len(heard) == pytest.approx(24000, abs=2500)
    assert np.abs(heard).max() > 0.1


def test_a_clip_without_sound_or_face_passes(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", sound=False)
    figures = run("swap", source, tmp_path / "out.mp4", "--persona", "porcelain", "--set", "min_face_px=512")
    assert figures["no_face"] == COUNT


def test_a_photo_needs_consent_once(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4")
    with pytest.raises(WorkerError, match="--consent"):
        run("swap", source, tmp_path / "out.mp4", "--persona", PHOTO)
    first = run("swap", source, tmp_path / "out.mp4", "--persona", PHOTO, "--consent", "public-domain")
    again = run("swap", source, tmp_path / "out.mp4", "--persona", PHOTO)
    by_name = run("swap", source, tmp_path / "out.mp4", "--persona", "astronaut")
    assert first["persona"] == again["persona"] == by_name["persona"] == "astronaut"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.mp4", "out.mp4"), "does not exist"),
        (("text.mp4", "out.mp4"), "no video file"),
        (("sound.wav", "out.mp4"), "no video in it"),
        (("in.mp4", "in.mp4"), "the output is the input"),
        (("in.mp4", "out.gif"), "must end in"),
        (("in.mp4", "nowhere/out.mp4"), "does not exist"),
        (("in.mp4", "out.mp4", "--set", "colour=off"), "unknown setting"),
        (("in.mp4", "out.mp4", "--set", "label"), "KEY=VALUE"),
        (("in.mp4", "out.mp4", "--set", "strength=2"), "not within"),
        (("in.mp4", "out.mp4", "--persona", "nobody"), "no persona"),
        (("in.mp4", "out.mp4", "--persona", "nobody.png"), "no photo"),
        (("in.mp4", "out.mp4", "--consent", "surely"), "not one of"),
    ],
)
def test_what_cannot_work_is_refused_and_leaves_nothing(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "in.mp4")
    (tmp_path / "text.mp4").write_text("not a film")
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        silence.sample_rate = 8000
        container.mux(stream.encode(silence))
    before = sorted(path.name for path in tmp_path.iterdir())
    if "--persona" not in arguments:
        arguments = (*arguments, "--persona", "porcelain")
    with pytest.raises((WorkerError, IpcError, ModelsError), match=message):
        run("swap", *arguments)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == before


def test_a_full_disk_leaves_the_old_output(tmp_path: Path) -> None:
    source, target = write_clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    target.write_bytes(b"what was there")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A file that cannot grow past this size fails as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(WorkerError, match=r"out\.mp4"):
            run("swap", source, target, "--persona", "porcelain")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert target.read_bytes() == b"what was there"
    assert not list(tmp_path.glob(".out-*"))


def test_a_damaged_file_is_swapped_as_far_as_it_goes(tmp_path: Path) -> None:
    source, target = write_clip(tmp_path / "in.mkv", sound=False), tmp_path / "out.mp4"
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 2 // 3])
    figures = run("swap", source, target, "--persona", "porcelain")
    assert 0 < figures["frames"] < COUNT
    assert len(frames_of(target)[0]) == figures["frames"]


def test_errors_are_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "doppel",
        "swap",
        str(tmp_path / "no.mp4"),
        str(tmp_path / "out.mp4"),
        "--persona",
        "porcelain",
    ]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"doppel: {tmp_path / 'no.mp4'} does not exist\n"
