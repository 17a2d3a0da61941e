"""An engine in a world of fakes, closed after each test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_promptgate.workflows.evaluate import Evaluation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fakes import World


@pytest.fixture
def engine() -> Iterator[Callable[..., Evaluation]]:
    """Make engines: ``evaluation = engine(world, offline=True)``."""
    made: list[Evaluation] = []

    def make(world: World, **options: Any) -> Evaluation:
        evaluation = Evaluation(
            account_of=world.account_of, store_of=world.store_of, price_of=world.price_of, **options
        )
        made.append(evaluation)
        return evaluation

    yield make
    for evaluation in made:
        evaluation.close()
