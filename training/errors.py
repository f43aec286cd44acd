"""Faults that a person at the command line can mend: one line each, exit status 2."""


class TrainingError(Exception):
    """Base of all faults reported as one line."""


class ConfigurationError(TrainingError):
    """A configuration file that cannot be read or holds a wrong key or value."""


class DataError(TrainingError):
    """A data file that is missing or damaged."""


class OutputError(TrainingError):
    """A folder that cannot be written."""


class ParityError(TrainingError):
    """The exported graph does not answer as the torch model does."""
