"""Tiny ONNX files with the inputs and outputs of the models that users bring."""
