"""The demo's parts: what plays, which persona it wears, and the scene collection around them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from installer.environment import Environment
from installer.errors import InstallerError
from installer.layout import PROJECT, SCRIPT
from installer.progress import Progress
from installer.scene import (
    CAMERA,
    FILTER_ID,
    FILTER_NAME,
    SCENE,
    Filter,
    Scene,
    Source,
    camera_source,
    media_source,
    scene_collection,
)
from installer.system import run_command

DEMO_CLIP = PROJECT / "models" / "doppel_models" / "data" / "demo.mp4"
DEFAULT_PERSONA = "porcelain"
CONSENT_GROUNDS = ("own", "permission", "public-domain", "synthetic")


def first_camera() -> str | None:
    """The first webcam of this machine, a Video4Linux device that captures; None without one."""
    for device in sorted(Path("/sys/class/video4linux").glob("video*")) if sys.platform == "linux" else []:
        index = device / "index"
        # A webcam has several nodes; node 0 gives the picture, the others its metadata.
        if index.is_file() and index.read_text(encoding="ascii").strip() == "0":
            return f"/dev/{device.name}"
    return None


def choose_media(media: Path | None, *, headless: bool) -> Path | str:
    """What plays: the user's file (a path), else the first webcam (a device), else the demo clip (a path).

    Raises:
        InstallerError: the file is missing.
    """
    if media is not None:
        if not media.is_file():
            raise InstallerError(f"{media} is missing", "--media names no file", "name a video file")
        return media.resolve()
    camera = None if headless else first_camera()
    if camera is not None:
        return camera
    if not DEMO_CLIP.is_file():
        raise InstallerError(
            f"{DEMO_CLIP} is missing", "the project's folder is not complete", "use --media FILE"
        )
    return DEMO_CLIP


def persona_photo(wanted: str, consent: str | None) -> Path | None:
    """The photo that ``--persona`` names, if it names one rather than a persona.

    Raises:
        InstallerError: the photo is missing, or it comes without consent.
    """
    photo = Path(wanted)
    if not photo.is_file():
        if photo.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp", ".bmp"):
            raise InstallerError(
                f"{photo} is missing", "--persona names no file", "name a photo or a persona"
            )
        return None
    if consent is None:
        raise InstallerError(
            "a photo of a face needs consent",
            f"{photo} may be used only by someone who says on what ground",
            f"add --consent with one of: {', '.join(CONSENT_GROUNDS)}",
        )
    return photo.resolve()


def add_persona(photo: Path, consent: str, environment: Environment, progress: Progress) -> str:
    """Makes a persona of the photo and returns its identifier.

    Raises:
        CommandError: the photo is refused; the message says why.
    """
    with progress.step("persona", f"persona from {photo.name} (consent: {consent})"):
        command = [str(environment.doppel), "persona", "add", str(photo), "--consent", consent, "--json"]
        output = run_command(command, f"{photo} cannot become a persona", "use another photo, see above")
    made = json.loads(output.strip().splitlines()[-1])
    for warning in made["warnings"]:
        progress.say(f"note on the photo: {warning}")
    return str(made["id"])


def known_persona(name: str, environment: Environment) -> str:
    """The identifier of the persona of that name or identifier.

    Raises:
        CommandError: there is none; the message lists those that there are.
    """
    command = [str(environment.doppel), "persona", "show", name, "--json"]
    output = run_command(
        command, f"there is no persona {name!r}", f"`{environment.doppel} persona list` shows all"
    )
    return str(json.loads(output)["id"])


def demo_collection(media: Path | str, persona: str, canvas: tuple[int, int]) -> dict[str, object]:
    """The scene collection: one scene, the camera in it with the filter on, the script loaded."""
    filters = [Filter(FILTER_NAME, FILTER_ID, {"persona": persona})]
    source: Source
    if isinstance(media, Path):
        source = media_source(CAMERA, media, filters=filters)
    else:
        source = camera_source(CAMERA, media, filters=filters)
    return scene_collection([source], [Scene(SCENE, [CAMERA])], canvas, scripts=[SCRIPT])
