"""pytest-promptgate: a prompt change that makes any metric worse cannot merge.

The names that users write. Importing this imports nothing heavy.
"""

from pytest_promptgate._version import __version__

__all__ = ["__version__"]
