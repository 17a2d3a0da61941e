"""What a suite file may refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_promptgate.core.ports import Aggregate, DatasetLoader, ExtractionOffer, ProviderSpec, ScorerOffer


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteContext:
    """What a suite file may refer to."""

    root: Path  # pytest's root directory, absolute
    prompts: Path  # directory of the prompts, absolute
    providers: Mapping[str, ProviderSpec]
    scorers: Mapping[str, ScorerOffer]
    aggregates: Mapping[str, Aggregate]
    loaders: Mapping[str, DatasetLoader]  # by suffix with its dot
    extraction: ExtractionOffer

    def shown(self, path: Path) -> str:
        """`path` as messages and values hold it: relative to the root if it lies there, with "/"."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()
