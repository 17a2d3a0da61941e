"""What every front door connects in the same way: settings and offers to accounts, stores and prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.core.ports import Price
from pytest_promptgate.errors import ToolboxError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_promptgate.core.ports import Account
    from pytest_promptgate.core.types import ModelPin, Suite
    from pytest_promptgate.files.config import ProjectConfig
    from pytest_promptgate.models.store import FileStore
    from pytest_promptgate.toolbox import Toolbox
    from pytest_promptgate.workflows.targets import TargetAccount


def account_of(provider: str, project: ProjectConfig, toolbox: Toolbox, *, connections: int) -> Account:
    """The account of a provider; it connects to nothing before its first call.

    Raises:
        ToolboxError: No plugin offers its kind.
    """
    spec = project.providers[provider]
    factory = toolbox.providers.get(spec.kind)
    if factory is None:
        raise ToolboxError(provider, f"no plugin offers the provider kind {spec.kind!r}")
    return factory(spec, connections)


def target_account(suites: Iterable[Suite], *, connections: int) -> TargetAccount:
    """The account of the targets of `suites`; it calls nothing yet.

    Where two suites name the same one, the longer of their times goes for both.
    """
    from pytest_promptgate.workflows.targets import TargetAccount

    found = [target for suite in suites if (target := suite.prompt.target) is not None]
    patient = sorted(found, key=lambda target: target.timeout_s)
    return TargetAccount({target.reference: target for target in patient}, most=connections)


def responses_directory(own: Path) -> Path:
    """Where the response stores stand.

    Args:
        own: The directory that ``promptgate_dir`` names.
    """
    return own / "responses"


def store_of(own: Path, suite: str) -> FileStore:
    """The response store of a suite; nothing is read or written yet."""
    from pytest_promptgate.models.store import open_store

    return open_store(responses_directory(own), suite)


def price_of(pin: ModelPin, project: ProjectConfig) -> Price | None:
    """What `pin` costs by promptgate.yaml, else by the price data of the extra ``prices``; None if nobody knows.

    The embedded model costs nothing.
    """
    own = project.prices.get(str(pin))
    spec = project.providers.get(pin.provider)
    if own is not None or spec is None:
        return own
    if spec.kind == "embedded":
        return Price(input=0.0, output=0.0)
    from pytest_promptgate.models.prices import listed_price

    return listed_price(spec, pin.name)
