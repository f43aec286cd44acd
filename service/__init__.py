"""The serving half of Sluice: everything a running server needs, and no torch."""

import os

__version__ = "0.1.0"

# ONNX Runtime reads it when it is imported: what is served here is told to nobody.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
