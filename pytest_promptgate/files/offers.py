"""The dataset formats that are built in; they come through the same door as a plugin's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_promptgate.files.csv_rows import read_csv, read_tsv
from pytest_promptgate.files.json_rows import read_json, read_jsonl, read_yaml_rows
from pytest_promptgate.files.parquet_rows import read_parquet
from pytest_promptgate.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_promptgate.core.ports import DatasetLoader


@hookimpl
def promptgate_dataset_loaders() -> Mapping[str, DatasetLoader]:
    """One loader per suffix."""
    return {
        ".jsonl": read_jsonl,
        ".json": read_json,
        ".yaml": read_yaml_rows,
        ".yml": read_yaml_rows,
        ".csv": read_csv,
        ".tsv": read_tsv,
        ".parquet": read_parquet,
    }
