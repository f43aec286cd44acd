"""Settings of all tests."""

from hypothesis import settings

# No deadline: a busy machine is no failure. The same examples each run: what passed passes again.
settings.register_profile("sluice", deadline=None, derandomize=True)
settings.load_profile("sluice")
