"""For every setting a value that is not its default; a new setting has one without a word here."""

from __future__ import annotations

from doppel_ipc.settings import FIELDS, Value, check_value

NOT_MOVED = {"swap": "off shows the original, by the user's own choice; test_swapping has it"}
_CHOSEN: dict[str, Value] = {
    "persona": "bronze",
    "engine": "mesh",
    "device": "cpu",
    # Of a model that is not there: it is refused, and the one in use goes on.
    "enhancer": "no such enhancer",
    "occlusion": "no such model",
    # "original" would show it, by the user's own choice, where a machine is late.
    "late_policy": "cover",
    "hold_ms": 4000,
}


def other_value(key: str) -> Value:
    """A value of that setting other than its default, and near it where it is a number."""
    field = FIELDS[key]
    if key in _CHOSEN:
        return _CHOSEN[key]
    if isinstance(field.default, bool):
        return not field.default
    if isinstance(field.default, (int, float)):
        kind = type(field.default)
        near = kind(field.default * 0.9)
        low = field.metadata["low"]
        return kind(near if near >= low and near != field.default else field.default + 1)
    choices = [value for value in field.metadata["choices"] if value != field.default]
    return str(choices[0]) if choices else f"{field.default} 2".strip()


OTHERS = {key: check_value(key, other_value(key)) for key in FIELDS}
