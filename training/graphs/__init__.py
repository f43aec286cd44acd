"""ONNX graphs built from torch weights: clean, named, and exact, where the exporters are not."""
