"""shipway takes a Python project from a commit to a signed, verified container release."""

__version__ = "0.0.0"
