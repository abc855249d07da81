"""The kernels' sources as they are compiled: one text each, with what they include in it.

CuPy keeps what it compiled under a hash of the source alone (``cupy/cuda/compiler.py``): a header that is
included from a folder could change without being noticed, and a kernel of an older version would be run with
this one's parameters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

KERNEL_FOLDER: Final = Path(__file__).parent / "kernels"
_HEADER: Final = "common.cuh"
_ONCE, _INCLUDE = "#pragma once\n", f'#include "{_HEADER}"\n'


def kernel_source(file: str) -> str:
    """The text of one of the ``.cu`` files, with the header's in place of its inclusion."""
    header = (KERNEL_FOLDER / _HEADER).read_text(encoding="utf-8").replace(_ONCE, "")
    return (KERNEL_FOLDER / file).read_text(encoding="utf-8").replace(_INCLUDE, header)
