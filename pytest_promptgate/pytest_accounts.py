"""Accounts begin where their last run's limit settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.ports import FindsItsLimit
from pytest_promptgate.files.accounts import FILE, read_limits, write_limits

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_promptgate.core.ports import Account


class Limits:
    """The limits of this run's accounts.

    Args:
        directory: The one that ``promptgate_dir`` names.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._opened: dict[str, tuple[FindsItsLimit, int]] = {}  # with the limit it began at

    def begin(self, provider: str, account: Account) -> None:
        """Let a new account begin where the last run ended."""
        if not isinstance(account, FindsItsLimit):
            return
        finder: FindsItsLimit = account
        name = f"{provider} {account.endpoint}"
        known = read_limits(self._path).get(name)
        if known is not None:
            finder.begin_at(known)
        self._opened[name] = (finder, finder.limit)

    def remember(self) -> None:
        """Write down what has changed; called when nothing is under way any more."""
        moved = {name: account.limit for name, (account, began) in self._opened.items() if account.limit != began}
        self._opened.clear()
        if moved:
            write_limits(self._path, moved)
