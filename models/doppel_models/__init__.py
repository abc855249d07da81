"""Detector, landmarker, engines, personas: everything that knows networks and faces."""

import os

# ONNX Runtime's official wheels send usage events to their maker and keep a device identifier in the user's
# cache folder unless this is set before its first import (its Privacy.md, "Disabling Telemetry").
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
