"""The serving engine: rows in, tensors out. Knows neither text nor HTTP."""
