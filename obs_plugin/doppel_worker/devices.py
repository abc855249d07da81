"""The devices of this machine that networks run on: what there is, and which one to use.

A device is named ``cpu``, ``cuda:0``, ``directml:0``, ``coreml:0`` or ``openvino:0``. Pictures are worked on
where the networks run on CUDA; with every other device the CPU does that part.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import re
from pathlib import Path

import onnxruntime as ort
from doppel_models import providers
from doppel_models.sentences import sentence, told_by
from doppel_models.session import SessionConfig

from doppel_worker.errors import DeviceError
from doppel_worker.gpu.cuda_device import cuda_devices

AUTO, CPU = "auto", "cpu"
_KINDS = {
    "cuda": providers.CUDA_PROVIDER,
    "directml": providers.DIRECTML_PROVIDER,
    "coreml": providers.COREML_PROVIDER,
    "openvino": providers.OPENVINO_PROVIDER,
}
_BY_ITSELF = ("cuda", "directml", "coreml")
"""Kinds that ``auto`` takes, the best first. OpenVINO may be the processor under another name."""
_NAME = re.compile(r"(cuda|directml|coreml|openvino)(?::(\d{1,2}))?")


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A device that networks can run on."""

    id: str
    """``cpu`` or ``kind:number``."""
    name: str
    memory_mb: int | None
    """Its own memory; None where it is not known."""
    provider: str
    """ONNX Runtime's provider."""

    @property
    def kind(self) -> str:
        """``cpu``, ``cuda``, ..."""
        return self.id.partition(":")[0]

    @property
    def number(self) -> int:
        """Among the devices of its kind."""
        return int(self.id.partition(":")[2] or 0)

    def session_config(self, stream: int = 0) -> SessionConfig:
        """How networks are built for it; the CPU does what the provider cannot."""
        if self.kind == CPU:
            return SessionConfig()
        wanted = (self.provider, providers.CPU_PROVIDER)
        return SessionConfig(wanted, device_id=self.number, stream=stream)


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """The device to use."""

    device: DeviceInfo
    fallback: str = ""
    """Why it is not the one that was asked for, and what to do; empty: it is."""


def list_devices() -> tuple[DeviceInfo, ...]:
    """Every device that can be tried, the CPU last."""
    return (*_cuda()[0], *_others(), _cpu())


def choose(wanted: str = AUTO) -> Choice:
    """The device that a setting names.

    Args:
        wanted: ``auto``, ``cpu``, or ``kind`` or ``kind:number``.

    Returns:
        A device that is there. Whether its provider really starts is known only when a network was built.

    Raises:
        DeviceError: ``wanted`` is no device's name.
    """
    if wanted == CPU:
        return Choice(_cpu())
    if wanted != AUTO and _NAME.fullmatch(wanted) is None:
        raise DeviceError(
            sentence(
                "device.no-name",
                "'{device}' is no device; use auto, cpu or e.g. cuda:0 (see: doppel devices)",
                device=wanted,
            )
        )
    cuda, why_no_cuda = _cuda()
    found = {device.id: device for device in (*cuda, *_others())}
    if wanted == AUTO:
        best = [device for kind in _BY_ITSELF for device in found.values() if device.kind == kind]
        if best:
            return Choice(best[0])
        # Without an NVIDIA driver nobody expects more than the CPU.
        why = sentence("device.cpu", "the CPU does the work: {why}", why=why_no_cuda)
        return Choice(_cpu(), why if _has_nvidia_driver() else "")
    kind, _, number = wanted.partition(":")
    device = found.get(f"{kind}:{number or 0}")
    if device is not None:
        return Choice(device)
    there = ", ".join(found) or sentence("device.none-but-cpu", "none but the CPU")
    missing = sentence("device.missing", "there is no such device (there is {devices})", devices=there)
    reason = why_no_cuda if kind == "cuda" and not cuda else missing
    if _KINDS[kind] not in ort.get_available_providers():
        reason = providers.why_not(_KINDS[kind])
    return Choice(_cpu(), cpu_instead(wanted, reason))


def cpu_instead(wanted: str, why: str) -> str:
    """What is told where a device cannot be had."""
    return sentence(
        "device.cpu-instead", "the CPU does the work instead of {device}: {why}", device=wanted, why=why
    )


def _cuda() -> tuple[tuple[DeviceInfo, ...], str]:
    """The CUDA devices, or none and why."""
    provider = providers.CUDA_PROVIDER
    if provider not in ort.get_available_providers():
        return (), providers.why_not(provider)
    try:
        found = cuda_devices()
    except DeviceError as error:
        return (), told_by(error)
    devices = tuple(
        DeviceInfo(f"cuda:{number}", name, size >> 20, provider) for number, (name, size) in enumerate(found)
    )
    return devices, "" if devices else sentence("device.no-gpu", "no NVIDIA GPU was found")


def _others() -> tuple[DeviceInfo, ...]:
    """Devices of the other providers, as ONNX Runtime names them."""
    devices = []
    for kind, provider in _KINDS.items():
        if kind == "cuda" or provider not in ort.get_available_providers():
            continue
        names = _hardware(provider) or [kind]
        devices += [DeviceInfo(f"{kind}:{n}", name, None, provider) for n, name in enumerate(names)]
    return tuple(devices)


def _hardware(provider: str) -> list[str]:
    """What ONNX Runtime knows of a provider's devices (from version 1.22 on)."""
    listing = getattr(ort, "get_ep_devices", None)
    if listing is None:
        return []
    found = [entry.device for entry in listing() if entry.ep_name == provider]
    return [str(device.metadata.get("Description") or device.vendor or provider) for device in found]


def _cpu() -> DeviceInfo:
    name = platform.processor() or platform.machine()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return DeviceInfo(
        CPU, f"{found[1] if found else name}, {os.cpu_count()} cores", None, providers.CPU_PROVIDER
    )


def _has_nvidia_driver() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or Path(r"C:\Windows\System32\nvcuda.dll").exists()
