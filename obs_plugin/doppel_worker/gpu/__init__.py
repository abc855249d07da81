"""The compositor on a GPU: kernels, memory, and what runs them.

``kernels/*.cu`` do the work and ``structs`` are their parameters; ``mirror`` plans which part of a frame lies
on the device; ``compositor_cuda`` satisfies the compositor's contract by them, with ``taking``, ``pasting``
and ``spreading``; ``mesh_drawing`` draws the built-in engine's faces; ``self_test`` compares a device with
the processor; ``shared_device`` is a seat's view of a device that it shares. All of these know only the
:class:`~doppel_worker.gpu.device.Device` protocol. ``cuda_device`` is the one module that imports CuPy.
"""
