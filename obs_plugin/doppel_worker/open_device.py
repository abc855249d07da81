"""Opens a device with all that frames need of it: a compositor, and how networks are built."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from doppel_models.detector import FaceDetector
from doppel_models.engines.mesh.on_device import MeshDevice
from doppel_models.errors import SessionError
from doppel_models.landmarker import FaceLandmarker
from doppel_models.sentences import told_by
from doppel_models.session import Network, SessionConfig

from doppel_worker.compositor import Compositor
from doppel_worker.compositor_cpu import CpuCompositor
from doppel_worker.devices import CPU, DeviceInfo, choose, cpu_instead
from doppel_worker.errors import DeviceError
from doppel_worker.gpu import self_test
from doppel_worker.gpu.compositor_cuda import CudaCompositor
from doppel_worker.gpu.cuda_device import CudaDevice
from doppel_worker.gpu.shared_device import SharedDevice
from doppel_worker.turns import Turns

Notify = Callable[[str], None]


@dataclasses.dataclass(frozen=True, slots=True)
class OpenDevice:
    """A device that is ready to work."""

    info: DeviceInfo
    compositor: Compositor
    config: SessionConfig
    """How networks are built that lanes share."""

    @property
    def mesh_device(self) -> MeshDevice | None:
        """Draws the mesh engine's faces; None: the processor does."""
        return self.compositor.mesh if isinstance(self.compositor, CudaCompositor) else None

    @property
    def own_config(self) -> SessionConfig:
        """How networks are built that only the lanes of one compositor run, one after another.

        Others work while such a network does: nobody else meets its memory.
        """
        if not isinstance(self.compositor, CudaCompositor):
            return self.config
        return dataclasses.replace(self.config, meanwhile=self.compositor.device.meanwhile)

    def beside(self) -> OpenDevice | None:
        """The same device with another compositor, so that frames overlap; None: they cannot."""
        if not isinstance(self.compositor, CudaCompositor):
            return None
        return dataclasses.replace(self, compositor=CudaCompositor(self.compositor.device.beside()))

    def new_turns(self) -> Turns:
        """Whose turn it is on the device; where nobody gives it up while they wait, nobody else knows."""
        return self.compositor.device.turns if isinstance(self.compositor, CudaCompositor) else Turns()


def open_device(wanted: str, fallback: Notify) -> OpenDevice:
    """The device that a setting names, else the CPU.

    Args:
        wanted: see :func:`doppel_worker.devices.choose`.
        fallback: is told why it is another one, and what to do.

    Raises:
        DeviceError: ``wanted`` is no device's name.
    """
    choice = choose(wanted)
    if choice.fallback:
        fallback(choice.fallback)
    info = choice.device
    if info.kind != "cuda":
        return OpenDevice(info, CpuCompositor(), info.session_config())
    try:
        device = CudaDevice(info.number)
        config = info.session_config(device.stream)
        compositor = CudaCompositor(SharedDevice(device, Turns(), config.gate))
        self_test.check(compositor)
    except DeviceError as error:
        fallback(_cpu_instead(info, error))
        return open_device(CPU, fallback)
    return OpenDevice(info, compositor, config)


def open_networks(wanted: str, fallback: Notify) -> tuple[OpenDevice, FaceDetector, FaceLandmarker]:
    """A device with the bundled networks on it, else the CPU.

    Args:
        wanted: see :func:`doppel_worker.devices.choose`.
        fallback: is told why it is another device, and what to do.

    Raises:
        DeviceError: ``wanted`` is no device's name.
        ModelsError: a bundled network is missing or cannot be run.
    """
    opened = open_device(wanted, fallback)
    try:
        detector, landmarker = own_networks(opened)
    except SessionError as error:
        if opened.info.kind == CPU:
            raise
        fallback(_cpu_instead(opened.info, error))
        opened = open_device(CPU, fallback)
        return opened, *own_networks(opened)
    safe = checked(opened, (*detector.networks, landmarker.network), fallback)
    return (opened, detector, landmarker) if safe is opened else (safe, *own_networks(safe))


def networks_beside(opened: OpenDevice) -> tuple[FaceDetector, FaceLandmarker]:
    """The bundled networks once more, on a device that has them already.

    Raises:
        DeviceError: there is no room for them on the device.
        ModelsError: as :func:`own_networks`.
    """
    detector, landmarker = own_networks(opened)
    for network in (*detector.networks, landmarker.network):
        if network.fallback is not None:
            raise DeviceError(network.fallback.told())
    return detector, landmarker


def _cpu_instead(wanted: DeviceInfo, error: Exception) -> str:
    return cpu_instead(wanted.id, told_by(error))


def own_networks(opened: OpenDevice) -> tuple[FaceDetector, FaceLandmarker]:
    """The bundled networks, for the lanes of one compositor.

    Raises:
        WeightsError: one is missing or damaged.
        SessionError: it cannot be run on the device.
    """
    return FaceDetector(opened.own_config), FaceLandmarker(opened.own_config)


def checked(opened: OpenDevice, networks: Iterable[Network], fallback: Notify) -> OpenDevice:
    """The device if all networks really run on it, else the CPU, of which the user is told.

    ONNX Runtime falls back network by network; pictures on a GPU and networks beside it would be the slowest.
    """
    problems = [network.fallback.told() for network in networks if network.fallback is not None]
    if not problems or opened.info.kind == CPU:
        return opened
    fallback(problems[0])
    return open_device(CPU, fallback)
