"""The one table of a filter's settings: keys, types, ranges, defaults and JSON form.

The keys are the same in OBS's ``obs_data``, in the control protocol's ``settings`` message, in
``doppel swap --set KEY=VALUE`` and in a persona's saved look. Settings travel as one frozen
:class:`FilterSettings`; nothing reads a setting from anywhere else.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Mapping, Union

from doppel_ipc.errors import SettingError

Value = Union[bool, int, float, str]


def _setting(
    default: Value,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    model: bool = False,
    device: bool = False,
) -> Any:
    """A dataclass field with its default and the limits of its value (inclusive).

    ``model``: beside the choices, the name of a stored model or the path of a model file may be given.
    ``device``: beside the choices, the name of a device (``cuda:0``).
    """
    limits = {"low": low, "high": high, "choices": choices, "model": model, "device": device}
    return dataclasses.field(default=default, metadata=limits)


PERSONS = (1, 2, 3, 4)
"""Numbers of the people who can be given a face of their own: settings ``person1_who`` and on."""
_WHO = ("nobody", "leftmost", "second-left", "second-right", "rightmost", "largest", "picture")
"""By their place when they come into view, or ``picture``: the person on an example picture."""
_BECOMES = ("persona", "blur", "original")
"""Of their face: it is swapped, it stays blurred, or it is shown as filmed."""
LONGEST_TEXT = 4096
"""Characters of a text, as of a path: all settings together must fit into one message."""
_MODEL_NAME = re.compile(r"(?=[^ ])[^\x00-\x1f\x7f-\x9f/\\]{1,80}(?<! )")
_DEVICE_NAME = re.compile(r"(?:cuda|directml|coreml|openvino)(?::[0-9]{1,2})?")
_MODEL_FILE = re.compile(r"[^\x00-\x1f\x7f]{1,1024}\.(?:onnx|dfm)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class FilterSettings:
    """Everything that a user can set on one Face Swap filter. Immutable; see :meth:`replace`."""

    # Face
    swap: bool = _setting(True)
    """False pauses the filter: the original is shown, by the user's own choice."""
    persona: str = _setting("porcelain")
    """Identifier of the persona; empty: none, the picture stays covered."""
    engine: str = _setting("auto", choices=("auto", "mesh"), model=True)
    """What makes the face: by itself, the built-in mesh engine, or a model (its name or its file)."""

    # More people: PERSONS of them, each by who, the picture for "picture", what becomes of them, the persona
    person1_who: str = _setting("nobody", choices=_WHO)
    """Who in the picture is meant, as filmed; see :data:`PERSONS`."""
    person1_picture: str = _setting("")
    person1_becomes: str = _setting("persona", choices=_BECOMES)
    person1_persona: str = _setting("")
    person2_who: str = _setting("nobody", choices=_WHO)
    person2_picture: str = _setting("")
    person2_becomes: str = _setting("persona", choices=_BECOMES)
    person2_persona: str = _setting("")
    person3_who: str = _setting("nobody", choices=_WHO)
    person3_picture: str = _setting("")
    person3_becomes: str = _setting("persona", choices=_BECOMES)
    person3_persona: str = _setting("")
    person4_who: str = _setting("nobody", choices=_WHO)
    person4_picture: str = _setting("")
    person4_becomes: str = _setting("persona", choices=_BECOMES)
    person4_persona: str = _setting("")
    others: str = _setting("blur", choices=("blur", "original"))
    """What becomes of everybody else where only named people are swapped (``faces`` is ``named``)."""

    # Look
    strength: float = _setting(1.0, low=0.0, high=1.0)
    """Blend of the swapped face over the original, 0 (original) to 1."""
    proportions: float = _setting(1.0, low=0.0, high=1.0)
    """How far the inner features move to the persona's proportions (mesh engine), 0 to 1."""
    keep_mouth: bool = _setting(True)
    """Keep the filmed mouth interior (teeth, tongue)."""
    keep_eyes: bool = _setting(True)
    """Keep the filmed eyes."""
    edge_softness: float = _setting(0.5, low=0.0, high=1.0)
    """Width of the feathered edge of the mask, 0 (hard) to 1."""
    sharpness: float = _setting(0.0, low=0.0, high=1.0)
    """Fine detail of the swapped face that is added, 0 (as it is) to 1."""
    color_match: str = _setting("relight", choices=("relight", "none"))
    """``relight``: the filmed light and colours are followed; ``none``: the engine's own colours stay."""

    # Look of engines from model files
    identity_weight: float = _setting(0.5, low=0.0, high=1.0)
    """0 (towards the filmed person) .. 0.5 (the persona as it is) .. 1 (exaggerated)."""
    morph: float = _setting(0.75, low=0.0, high=1.0)
    """How far the face is the persona's (DeepFaceLab's AMP models), 0 to 1."""
    pixel_boost: int = _setting(1, low=1, high=4)
    """So many times the model's own resolution, for its square in runs."""
    enhancer: str = _setting("none", choices=("none",), model=True)
    """Model that restores the swapped face: GFPGAN, GPEN, CodeFormer."""
    enhancer_strength: float = _setting(0.8, low=0.0, high=1.0)
    """Share of the restored face, 0 to 1."""
    occlusion: str = _setting("none", choices=("none",), model=True)
    """XSeg model that finds what is in front of the face (the mesh engine finds it by itself)."""

    # Tracking
    faces: str = _setting("largest", choices=("largest", "leftmost", "rightmost", "all", "named"))
    """Whose face is swapped; leftmost and rightmost in the picture as it is filmed. ``named``: nobody's but
    those of ``person1_who`` and on."""
    max_faces: int = _setting(4, low=1, high=8)
    redetect_ms: int = _setting(100, low=0, high=1000)
    """Longest time between two runs of the face detector, milliseconds; 0 runs it on every frame."""
    smoothing: float = _setting(0.5, low=0.0, high=1.0)
    min_face_px: int = _setting(48, low=16, high=512)
    yaw_fade_start: float = _setting(35.0, low=0.0, high=90.0)
    """Yaw in degrees at which the swap starts to fade to the blurred original."""
    yaw_fade_end: float = _setting(50.0, low=0.0, high=90.0)

    # Safety
    hold_ms: int = _setting(500, low=0, high=5000)
    """How long the last judged picture is held when a result is missing, milliseconds; then the cover."""
    late_policy: str = _setting("hold", choices=("hold", "cover", "original"))
    """When a result is missing: hold then cover, cover at once, or show the original."""
    no_face_policy: str = _setting("show", choices=("show", "cover"))
    lost_face_policy: str = _setting("blur", choices=("blur", "cover", "original"))
    lost_face_ms: int = _setting(3000, low=0, high=10000)
    """Confident absence after which the blur over a lost face ends, milliseconds."""
    side_face_policy: str = _setting("blur", choices=("blur", "cover", "original"))
    cover: str = _setting("mosaic", choices=("mosaic", "slate"))
    slate_image: str = _setting("")
    """Path of the picture shown as cover when ``cover`` is ``slate``."""

    # Disclosure label
    label: bool = _setting(True)
    label_text: str = _setting("AI face")
    label_corner: str = _setting(
        "bottom-right", choices=("top-left", "top-right", "bottom-left", "bottom-right")
    )
    label_size: float = _setting(0.035, low=0.02, high=0.2)
    """Height of the label's text as a fraction of the frame's height."""

    # Timing and sound
    sound_sync: bool = _setting(True)
    sound_source: str = _setting("")
    """Name of the audio source to delay when the filtered source has no sound of its own."""

    # Device
    device: str = _setting("auto", choices=("auto", "cpu"), device=True)
    """Where networks run: chosen by itself, the processor, or a device as ``doppel devices`` names it."""

    def replace(self, **changes: Value) -> FilterSettings:
        """A copy with some values changed and checked.

        Raises:
            SettingError: an unknown key, or a value of the wrong type or out of range.
        """
        checked = {key: check_value(key, value) for key, value in changes.items()}
        return dataclasses.replace(self, **checked)

    def to_json(self) -> dict[str, Value]:
        """All keys and values, ready for ``json.dumps``."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> FilterSettings:
        """Settings from a JSON object; keys that are missing take their default.

        Raises:
            SettingError: an unknown key, or a value of the wrong type or out of range.
        """
        return cls(**{key: check_value(key, value) for key, value in data.items()})


FIELDS: dict[str, dataclasses.Field[Any]] = {f.name: f for f in dataclasses.fields(FilterSettings)}


def check_value(key: str, value: object) -> Any:
    """``value`` as the type of setting ``key``; an int is accepted for a float.

    Raises:
        SettingError: an unknown key, or a value of the wrong type or out of range.
    """
    field = FIELDS.get(key)
    if field is None:
        raise SettingError(f"unknown setting {key!r}; known: {', '.join(sorted(FIELDS))}")
    kind = type(field.default)
    if kind is float and type(value) is int:
        try:
            value = float(value)
        except OverflowError:
            raise SettingError(f"{key}: a number that no float holds is out of range") from None
    if type(value) is not kind:
        raise SettingError(f"{key}: {repr(value)[:80]} is {type(value).__name__}, expected {kind.__name__}")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise SettingError(f"{key}: a text of {len(value)} characters, expected at most {LONGEST_TEXT}")
    low, high, choices = (field.metadata[name] for name in ("low", "high", "choices"))
    # Written so that NaN fails too.
    if low is not None and not low <= value <= high:
        raise SettingError(f"{key}: {value!r} is not within {low:g}..{high:g}")
    if choices and value not in choices:
        if field.metadata["device"]:
            if not _DEVICE_NAME.fullmatch(str(value)):
                raise SettingError(
                    f"{key}: {str(value)[:80]!r} is not one of {', '.join(choices)}, and no device's name"
                    " such as cuda:0"
                )
        elif not field.metadata["model"]:
            raise SettingError(f"{key}: {repr(value)[:80]} is not one of {', '.join(choices)}")
        elif not is_model_reference(str(value)):
            raise SettingError(
                f"{key}: {str(value)[:80]!r} is not one of {', '.join(choices)}, and neither the name of a"
                " stored model nor the path of an .onnx or .dfm file"
            )
    return value


def is_model_reference(text: str) -> bool:
    """Whether ``text`` has the form of a stored model's name or of a model file's path."""
    return bool(_MODEL_NAME.fullmatch(text) or _MODEL_FILE.fullmatch(text))


_SWITCH_WORDS = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


def parse_value(key: str, text: str) -> Value:
    """The value of setting ``key`` from its command-line form: ``on``/``off`` for switches.

    Raises:
        SettingError: an unknown key, or text that is no value of it.
    """
    field = FIELDS.get(key)
    kind: type[Any] = str if field is None else type(field.default)
    value: object = text
    try:
        if kind is bool:
            value = _SWITCH_WORDS[text.lower()]
        elif kind in (int, float):
            value = kind(text)
    except (KeyError, ValueError):
        expected = "on or off" if kind is bool else f"a {kind.__name__}"
        raise SettingError(f"{key}: {text!r} is not {expected}") from None
    checked: Value = check_value(key, value)
    return checked
