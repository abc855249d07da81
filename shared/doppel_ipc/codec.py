"""Dataclasses to and from plain JSON objects, strictly: every key is expected, every value is checked.

A field is declared with the parser of its value::

    lane: int = wire(integer(1, 2**31))

``unpack`` turns a JSON object into the dataclass, ``pack`` the other way round. Both check.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Mapping, TypeVar

from doppel_ipc.errors import ProtocolError, ProtocolFault, SettingError
from doppel_ipc.said import Said
from doppel_ipc.settings import FilterSettings

Parser = Callable[[object], Any]
"""Returns the value, or raises ValueError with what is wrong."""
T = TypeVar("T")


def wire(parser: Parser, default: Any = dataclasses.MISSING) -> Any:
    """A dataclass field whose JSON form is checked by ``parser``.

    ``default`` is for those who make one; on the wire every field is there.
    """
    return dataclasses.field(default=default, metadata={"parser": parser})


def integer(low: int, high: int) -> Parser:
    """An int within ``low..high``."""

    def parse(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"{_short(value)} is no integer of {low}..{high}")
        return value

    return parse


def number(low: float, high: float) -> Parser:
    """A float within ``low..high``, both finite; an int is taken too."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"{_short(value)} is no number")
        # Written so that NaN fails too; an int that no float holds is out of range.
        if not low <= value <= high:
            raise ValueError(f"{_short(value)} is not within {low:g}..{high:g}")
        return float(value)

    return parse


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{_short(value)} is neither true nor false")
    return value


def text(limit: int, *, empty: bool = True) -> Parser:
    """A string of at most ``limit`` characters."""

    def parse(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{_short(value)} is no text")
        if len(value) > limit or not (value or empty):
            raise ValueError(f"text of {len(value)} characters, expected {0 if empty else 1}..{limit}")
        # JSON may spell half a surrogate pair (a file's name that is no UTF-8, say), which no UTF-8 can hold.
        return value.encode("utf-8", "replace").decode("utf-8")

    return parse


def word(*choices: str) -> Parser:
    """One of some words."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"{_short(value)} is not one of {', '.join(choices)}")
        return value

    return parse


def items(parser: Parser, limit: int, *, least: int = 0) -> Parser:
    """A JSON array of ``least..limit`` values, as a tuple."""

    def parse(value: object) -> Any:
        if not isinstance(value, (list, tuple)) or not least <= len(value) <= limit:
            raise ValueError(f"{_short(value)} is no list of {least}..{limit} values")
        return tuple(parser(item) for item in value)

    return parse


def nested(cls: type[Any]) -> Parser:
    """A JSON object that is itself such a dataclass."""

    def parse(value: object) -> Any:
        if isinstance(value, cls):
            value = pack(value)
        if not isinstance(value, dict):
            raise ValueError(f"{_short(value)} is no object")
        return unpack(cls, value)

    return parse


def settings(value: object) -> FilterSettings:
    """A filter's settings; keys that are missing take their default."""
    if isinstance(value, FilterSettings):
        value = value.to_json()
    if not isinstance(value, dict):
        raise ValueError(f"{_short(value)} is no object")
    try:
        return FilterSettings.from_json(value)
    except SettingError as error:
        raise ValueError(str(error)) from None


def unpack(cls: type[T], data: Mapping[str, object]) -> T:
    """The dataclass that a JSON object stands for.

    Raises:
        ProtocolError: a key is missing or unknown, or a value is not valid.
    """
    made_of = dataclasses.fields(cls)  # type: ignore[arg-type]  # every message is one
    fields = {field.name: field for field in made_of}
    for key in data:
        if key not in fields:
            raise ProtocolError(ProtocolFault.UNKNOWN_FIELD, f"{cls.__name__}.{_short(key)}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in data:
            raise ProtocolError(ProtocolFault.MISSING_FIELD, f"{cls.__name__}.{name}")
        try:
            values[name] = field.metadata["parser"](data[name])
        except ValueError as error:
            raise ProtocolError(ProtocolFault.BAD_FIELD, f"{cls.__name__}.{name}: {error}") from None
    return cls(**values)


def pack(value: Any) -> Any:
    """The JSON object of a dataclass; its values are checked as :func:`unpack` does.

    Raises:
        ProtocolError: a value is not valid.
    """
    fields = dataclasses.fields(value)
    unpack(type(value), {field.name: getattr(value, field.name) for field in fields})
    return {field.name: _plain(getattr(value, field.name)) for field in fields}


def _plain(value: Any) -> Any:
    if isinstance(value, (FilterSettings, Said)):
        return value.to_json()
    if dataclasses.is_dataclass(value):
        return pack(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
