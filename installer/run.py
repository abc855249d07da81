"""``installer run``: everything made ready, then OBS with the demo scene - on the screen, or without one."""

from __future__ import annotations

import dataclasses
import json
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from installer import obs_remote, recording
from installer.demo import add_persona, choose_media, demo_collection, known_persona, persona_photo
from installer.display import VirtualDisplay, has_display
from installer.environment import Environment
from installer.errors import CommandError, InstallerError
from installer.ipc import paths
from installer.layout import LOGS, MADE
from installer.obs_config import ObsOptions
from installer.obs_launch import ObsSession, free_port
from installer.obs_result import ObsResult
from installer.prepare import prepare_environment, prepare_obs, prepare_script
from installer.progress import Progress
from installer.report import ReportParts, build_report, read_statistics
from installer.system import run_command

DEFAULT_SECONDS = 20.0
HEADLESS_CANVAS = (640, 360)
SCREEN_CANVAS = (1280, 720)
SESSION = MADE / "obs"
STATISTICS = "statistics.json"
SAY_SECONDS = 5.0


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """What the user asked of ``run``."""

    media: Path | None = None
    """A file to play instead of the webcam or the demo clip."""
    persona: str = "porcelain"
    """A persona's name, or the path of a photo."""
    consent: str | None = None
    """Ground on which a photo may be used."""
    headless: float | None = None
    """Seconds to record without a screen; None: on the screen, if there is one."""
    out: Path = Path("out")
    """Folder of the recording, the contact sheet and the report; on the screen, of what the user records."""
    device: str = "auto"


def run(options: RunOptions, progress: Progress) -> dict[str, Any]:
    """Makes everything ready and runs the demo.

    Returns:
        The report (headless), or ``{"ok": ..., "problems": [...]}`` after OBS was closed by the user.

    Raises:
        InstallerError: a step failed.
    """
    seconds = options.headless
    if seconds is None and not has_display():
        progress.say(f"there is no display: running without one for {DEFAULT_SECONDS:.0f} s")
        seconds = DEFAULT_SECONDS
    media = choose_media(options.media, headless=seconds is not None)
    photo = persona_photo(options.persona, options.consent)
    _check_writable(options.out)
    environment = prepare_environment(progress, () if seconds is None else ("remote",), options.device)
    if options.media is not None:
        measure(environment, options.media.resolve(), "name a video file, such as MP4, MKV or WebM")
    if photo is not None and options.consent is not None:
        persona = add_persona(photo, options.consent, environment, progress)
    else:
        persona = known_persona(options.persona, environment)
    program, version = prepare_obs(progress, headless=seconds is not None)
    config = prepare_script(environment, progress)
    (SESSION / STATISTICS).unlink(missing_ok=True)
    canvas = SCREEN_CANVAS if seconds is None else HEADLESS_CANVAS
    collection = demo_collection(media, persona, canvas)
    environ = {paths.CONFIG_ENV: str(config), paths.STATS_ENV: str(SESSION / STATISTICS)}
    if seconds is None:
        # What a user records is not the installer's to remove.
        obs_options = ObsOptions(canvas, recording_dir=options.out.resolve(), preview=True)
        session = ObsSession(
            SESSION, collection, obs_options, environ=environ, program=program, version=version
        )
        progress.say(f"what you record in it comes into {options.out.resolve()}")
        return _on_screen(session, progress)
    shutil.rmtree(SESSION / "recording", ignore_errors=True)
    obs_options = ObsOptions(
        canvas,
        recording_dir=SESSION / "recording",
        websocket_port=free_port(),
        websocket_password=secrets.token_urlsafe(16),
    )
    with VirtualDisplay() as display:
        session = ObsSession(
            SESSION, collection, obs_options, display=display.name, start_recording=True,
            environ=environ, program=program, version=version,
        )  # fmt: skip
        result, problems = _headless(session, seconds, environment, progress)
    asked = {"persona": persona, "media": str(media), "doppel_version": _doppel_version(environment)}
    parts = ReportParts(result, version, asked, problems=tuple(problems), recording_ended=not problems)
    return _deliver(options.out, environment, parts, Path(media), progress)


def _check_writable(out: Path) -> None:
    """Now, and not after the recording.

    Raises:
        InstallerError: no file can be written there.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise InstallerError(
            f"{out} cannot be written", str(error.strerror), "name another folder with --out"
        ) from error


def _on_screen(session: ObsSession, progress: Progress) -> dict[str, Any]:
    with (
        progress.step("obs_run", "OBS is open with the scene 'Doppel demo'; close its window to end"),
        session,
    ):
        session.wait_ready()
        code = session.running().wait()
    problems = [f"OBS ended with code {code}; see {session.log_path}"] if code else []
    if not code:
        progress.say("OBS was closed; `python3 -m installer install` adds Doppel to your own OBS")
    return {"ok": not problems, "problems": problems}


def _headless(
    session: ObsSession, seconds: float, environment: Environment, progress: Progress
) -> tuple[ObsResult, list[str]]:
    """Records; returns how OBS ended, and the problems there were with the recording's end."""
    with progress.step("obs_run", f"OBS without a screen, recording for {seconds:.0f} s"), session:
        session.wait_ready()
        end = time.monotonic() + seconds
        said = time.monotonic()

        def over() -> bool:
            nonlocal said
            if time.monotonic() - said >= SAY_SECONDS:
                said = time.monotonic()
                progress.say(_state(read_statistics(SESSION / STATISTICS)))
            return time.monotonic() >= end

        session.wait_for(over, seconds + 60.0, "the recording was cut short")
        problems = _end_recording(session, environment)
        return session.stop(), problems


def _end_recording(session: ObsSession, environment: Environment) -> list[str]:
    """Ends the recording; returns the problem where OBS does not (its own end then cuts the recording)."""
    command = [
        str(environment.python),
        "-P",
        str(Path(obs_remote.__file__)),
        str(session.options.websocket_port),
    ]
    password = (session.options.websocket_password or "") + "\n"
    try:
        run_command(command, "OBS does not end its recording", "see the OBS log", timeout=60, text=password)
    except CommandError as error:
        return [str(error)]
    return []


def _deliver(
    out: Path, environment: Environment, parts: ReportParts, media: Path, progress: Progress
) -> dict[str, Any]:
    """Puts the files into ``out`` and returns the report."""
    out.mkdir(parents=True, exist_ok=True)
    recorded = sorted((SESSION / "recording").glob("*.mkv"))
    files = {"obs_log": str(SESSION / "obs.log"), "worker_log": str(LOGS), "report": str(out / "report.json")}
    problems: list[str] = []
    if recorded:
        shutil.move(str(recorded[-1]), out / "recording.mkv")
        files["recording"] = str(out / "recording.mkv")
        with progress.step("contact_sheet", "contact sheet"):
            try:
                parts = dataclasses.replace(parts, recording=measure(environment, out / "recording.mkv"))
                files["before_after"] = str(_contact_sheet(environment, media, out))
            except CommandError as error:
                problems.append(str(error))
    parts = dataclasses.replace(parts, statistics=read_statistics(SESSION / STATISTICS))
    report = build_report(parts, problems)
    report.update(seconds={**progress.seconds, "total": progress.total}, files=files)
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def measure(environment: Environment, path: Path, todo: str = "see the OBS log") -> dict[str, float]:
    """Frames, seconds and size of a video file.

    Raises:
        CommandError: it is no video.
    """
    command = [str(environment.python), "-P", str(Path(recording.__file__)), str(path)]
    measured: dict[str, float] = json.loads(run_command(command, f"{path} cannot be played", todo))
    return measured


def _contact_sheet(environment: Environment, media: Path, out: Path) -> Path:
    """Draws frames of the media above the same frames of the recording.

    Raises:
        CommandError: it cannot be drawn.
    """
    path = out / "before-after.png"
    command = [
        str(environment.doppel),
        "contact-sheet",
        str(media),
        str(out / "recording.mkv"),
        "--out",
        str(path),
    ]
    run_command(command, "the contact sheet cannot be drawn", "look at the recording instead", timeout=300)
    return path


def _doppel_version(environment: Environment) -> str:
    code = "import importlib.metadata; print(importlib.metadata.version('doppel'))"
    return run_command(
        [str(environment.python), "-c", code], "the environment is broken", "remove .venv"
    ).strip()


def _state(statistics: dict[str, Any] | None) -> str:
    lanes = (statistics or {}).get("lanes") or []
    if not lanes:
        return "no figures from the filter yet"
    frames = lanes[0].get("frames") or {}
    counts = ", ".join(f"{count} {name}" for name, count in frames.items() if count and name != "in")
    return f"frames that came in: {frames.get('in', 0)}: {counts or 'none shown yet'}"
