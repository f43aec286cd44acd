"""The training half of Sluice: data, recurrent models, export to ONNX bundles."""
