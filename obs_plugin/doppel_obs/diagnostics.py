"""What somebody who helps a user needs to know, as a text: what the filter's page copies."""

from __future__ import annotations

import dataclasses
import json
from typing import Sequence

from doppel_ipc.diagnostics import Veil, about, changed_settings, log_end
from doppel_ipc.messages import Choices, Status
from doppel_ipc.paths import InstallConfig
from doppel_ipc.settings import FilterSettings

FILE_NAME = "diagnostics.txt"
LOG_LINES = 60


@dataclasses.dataclass(frozen=True)
class Facts:
    """The worker, at one moment."""

    status: Status | None
    starts: int
    restarts: int
    choices: Choices


def report(
    config: InstallConfig,
    obs_version: tuple[int, int, int],
    facts: Facts,
    filters: Sequence[tuple[str, FilterSettings]],
    veil: Veil,
) -> str:
    """The text, without what is private.

    Args:
        config: where the parts lie.
        obs_version: of the running OBS.
        facts: the worker.
        filters: status line (in English) and settings of each filter.
        veil: what is private.
    """
    lines = [
        "Doppel diagnostics",
        f"OBS {'.'.join(map(str, obs_version))}",
        *about(config),
        f"worker: {facts.starts} starts, {facts.restarts} after an end by itself",
        f"worker says: {'nothing yet' if facts.status is None else dataclasses.asdict(facts.status)}",
        *(f"device: {dataclasses.asdict(one)}" for one in facts.choices.devices),
        *(f"model: {one.role}" for one in facts.choices.models),
    ]
    for number, (status, settings) in enumerate(filters, 1):
        lines += [f"filter {number}: {line}" for line in status.splitlines()]
        lines.append(
            f"filter {number} differs from the defaults in: {json.dumps(changed_settings(settings))}"
        )
    log = log_end(config.log_dir, LOG_LINES)
    lines += ["", f"end of the log in {config.log_dir}:", *(log or ["(there is none)"])]
    return veil.text("\n".join(lines) + "\n")
