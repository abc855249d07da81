"""A soft speech-like sound: a buzzing voice shaped by two formants, and hisses, one for each syllable."""

from __future__ import annotations

import numpy as np

from doppel_demo.interpolation import Array
from doppel_demo.motion import Syllable

RATE = 48000
"""Samples in a second."""


def speak(syllables: tuple[Syllable, ...], seconds: float) -> Array:
    """The sound of ``syllables``: (samples,) in -1..1, peaks near -14 dB; silence elsewhere."""
    out = np.zeros(round(seconds * RATE))
    rng = np.random.default_rng(7)
    for syllable in syllables:
        _add(out, syllable.start, _vowel(syllable))
        if syllable.hiss:
            _add(out, syllable.start - 0.03, 0.25 * syllable.opening * _hiss(0.07, rng))
    # Room tone, so that a gap in the sound can be told from silence.
    out += 0.002 * rng.standard_normal(len(out))
    peak: Array = 0.2 * out / np.abs(out).max()
    return peak


def _vowel(syllable: Syllable) -> Array:
    t = np.arange(round(syllable.length * RATE)) / RATE
    pitch = syllable.pitch * (1.04 - 0.08 * t / syllable.length) * (1 + 0.006 * np.sin(2 * np.pi * 5.5 * t))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    # First and second formant, hertz: from 'oo'/'uh' (closed, round) to 'ah' (open).
    first = 320 + 480 * syllable.opening
    second = 1750 - 900 * syllable.rounding - 350 * syllable.opening
    sound = np.zeros_like(t)
    for number in range(1, 18):
        hertz = number * pitch
        gain = sum(
            1 / (1 + ((hertz - f) / width) ** 2) * a
            for f, width, a in ((first, 90, 1.0), (second, 130, 0.5), (2700, 220, 0.2))
        )
        sound += gain * np.sin(number * phase) / np.sqrt(number)
    envelope = np.sin(np.pi * t / syllable.length) ** 0.8
    out: Array = (0.4 + 0.6 * syllable.opening) * envelope * sound
    return out


def _hiss(length: float, rng: np.random.Generator) -> Array:
    noise = rng.standard_normal(round(length * RATE))
    spectrum = np.fft.rfft(noise)
    hertz = np.fft.rfftfreq(len(noise), 1 / RATE)
    spectrum *= np.exp(-(((hertz - 5200) / 1800) ** 2))
    shaped = np.fft.irfft(spectrum, len(noise)) * np.hanning(len(noise))
    out: Array = shaped / np.abs(shaped).max()
    return out


def _add(out: Array, start: float, sound: Array) -> None:
    first = round(start * RATE)
    out[first : first + len(sound)] += sound
