"""Whether a device can be worked with any longer."""

from __future__ import annotations

from typing import Final

from doppel_models.errors import SessionError
from doppel_models.sentences import sentence

from doppel_worker.errors import DeviceError, DeviceLostError

_PATIENCE: Final = 3
"""Frames in a row that a device may fail at: a game that takes its memory for a moment is not the end, and a
tenth of a second of covered faces is what it costs to find out."""


class DeviceHealth:
    """Counts what fails on one device. One thread at a time."""

    def __init__(self, device: str) -> None:
        """``device``: its name; the processor is trusted."""
        self._device = device
        self._failures: dict[object, int] = {}
        """In a row, by seat."""
        self.lost = ""
        """Why it has been given up, and what to do; empty: it has not been."""
        self.may_return = False
        """Given up for want of memory, or the like: it can be tried again in this process."""

    def check(self) -> None:
        """Ask before a frame.

        Raises:
            DeviceLostError: it has been given up.
        """
        if self.lost:
            raise DeviceLostError(self.lost)

    def fails(self, error: Exception | None, seat: object) -> bool:
        """Take in what a seat's frame failed at (None: nothing); True when it was once too often.

        Another seat's success says nothing of this one.
        """
        if self._device == "cpu" or not isinstance(error, (DeviceError, SessionError)):
            self._failures[seat] = 0
            return False
        self._failures[seat] = self._failures.get(seat, 0) + 1
        return self._failures[seat] >= _PATIENCE or isinstance(error, DeviceLostError)

    def give_up(self, error: Exception) -> bool:
        """The device is not worked with any longer; False: it was given up before."""
        if self.lost:
            return False
        # After some errors CUDA gives a process nothing any more: only another process can use the device.
        self.may_return = not isinstance(error, DeviceLostError)
        if self.may_return:
            self.lost = sentence(
                "device.gone",
                "the CPU does the work from now on: {device} failed ({why}); it is tried again from time to"
                ' time; to try it now, press "Restart the worker" in the filter\'s properties',
                device=self._device,
                why=error,
            )
        else:
            self.lost = sentence(
                "device.gone-for-good",
                "the CPU does the work from now on: {device} failed ({why}); to use it again, press"
                ' "Restart the worker" in the filter\'s properties',
                device=self._device,
                why=error,
            )
        return True
