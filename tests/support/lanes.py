"""What tests of lanes share."""

from __future__ import annotations

from doppel_ipc.pixel_format import FrameLayout, PixelFormat

LAYOUT = FrameLayout.of(PixelFormat.NV12, 64, 48)
"""Frames so small that a test's time is not spent on pixels."""
