"""The directory that ``promptgate_dir`` names: made when it is first needed, and kept out of Git."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make_own_directory(own: Path) -> None:
    """Make it, with a ``.gitignore`` that hides all of it; one that is there stays as it is."""
    if not own.exists():
        own.mkdir(parents=True)
        (own / ".gitignore").write_text("# Made by pytest-promptgate.\n*\n", encoding="utf-8")
