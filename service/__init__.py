"""The serving half of Sluice: everything a running server needs, and no torch."""

__version__ = "0.1.0"
