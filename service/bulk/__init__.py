"""Bulk work: the same predictors over files, on one machine or on a Ray cluster."""
