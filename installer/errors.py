"""The installer's errors.

Hierarchy::

    InstallerError
    ├── CommandError      a program that was run failed
    ├── InterpreterError  no usable interpreter, or the virtual environment cannot be made
    └── ObsError          OBS is missing, does not start, hangs or crashes
"""

from __future__ import annotations


class InstallerError(Exception):
    """A step failed. Each error says what happened, why, and what the user can do.

    Args:
        what: one sentence: what happened.
        why: the cause as far as it is known; may span lines (the end of a program's output).
        todo: what the user can do about it.
    """

    def __init__(self, what: str, why: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.todo = todo

    def __str__(self) -> str:
        lines = [self.what]
        if self.why:
            lines.append(f"  why: {self.why}")
        if self.todo:
            lines.append(f"  what to do: {self.todo}")
        return "\n".join(lines)


class CommandError(InstallerError):
    """A program that the installer ran failed or was not found."""


class InterpreterError(InstallerError):
    """No usable Python interpreter, or the virtual environment cannot be made."""


class ObsError(InstallerError):
    """OBS is missing, does not start, hangs or crashes."""
