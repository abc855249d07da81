"""Doppel's control plane inside OBS. Standard library and ``doppel_ipc`` only, Python 3.8 syntax."""
