"""What OBS does wrong at its end without us, mended for the tests: so that what is left is ours."""

from __future__ import annotations

import subprocess
from pathlib import Path

from installer.obs_config import ObsVersion

_SINCE = ObsVersion(31, 1)


def mended_obs(version: ObsVersion, folder: Path) -> dict[str, str]:
    """Variables for an OBS that forgets no scene at its end; none for one that has not got the fault.

    From 31.1 on (and in 32.2.2) libobs goes on from a scene that may be freed already, while OBS removes
    them all: ``mended_obs.c`` tells how, and goes about it in another way. A scene that is left out costs 3
    allocations, and with a source in it signal 11. No other fault of OBS is hidden, and none of ours.

    Args:
        version: of the OBS that is tested.
        folder: gets the library.
    """
    if (version.major, version.minor) < (_SINCE.major, _SINCE.minor):
        return {}
    library = folder / "mended_obs.so"
    source = Path(__file__).parent / "mended_obs.c"
    command = ["cc", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(source)]
    subprocess.run(command, check=True, timeout=60)
    return {"LD_PRELOAD": str(library)}
