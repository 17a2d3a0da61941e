"""Packages that only some scorers need: named before the first call, imported when an answer needs them."""

from __future__ import annotations

from importlib.util import find_spec


def check_installed(extra: str, *packages: str) -> None:
    """Let packages that can be imported pass, without importing them.

    Args:
        extra: The extra of pytest-promptgate that brings them.
        packages: Their import names.

    Raises:
        ValueError: One of them is not installed.
    """
    for package in packages:
        if find_spec(package) is None:
            raise ValueError(f"the package {package} is not installed. Run: pip install 'pytest-promptgate[{extra}]'")
