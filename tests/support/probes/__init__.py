"""Tiny ONNX files with the contracts of real face models.

``shapes`` has the exact inputs, outputs and signs of every kind, with constant outputs: for recognition. For
engines, ``build`` makes files whose output is a known function of their input, out of ``contracts`` (what is
known of each published file, taken from its origin and not from Doppel's own tables).
"""
