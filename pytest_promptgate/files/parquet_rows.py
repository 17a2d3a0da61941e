"""Rows from ``.parquet``, through pyarrow: pandas would turn a column of whole numbers with a gap into floats.

Dates, times and time stamps become ISO 8601 text, decimals numbers, missing values null. Rows are counted from 1.
"""

from __future__ import annotations

import datetime
import decimal
import importlib
import importlib.util
import math
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_promptgate.core.ports import Row
from pytest_promptgate.core.printable import one_line
from pytest_promptgate.core.wording import shown
from pytest_promptgate.errors import DatasetError, Place
from pytest_promptgate.files.text import check_file

if TYPE_CHECKING:
    from pytest_promptgate.core.types import Json


class _CellFaultError(Exception):
    """A value that JSON cannot hold."""


def read_parquet(path: str) -> Sequence[Row]:
    """All row groups, all columns."""
    file = Path(path).as_posix()
    check_file(Path(path), file=file, error=DatasetError)
    table = _table(path, file)
    names: list[str] = table.column_names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DatasetError(Place(file=file), f"two columns are named {shown(twice)}")
    return [_row(fields, number, file) for number, fields in enumerate(table.to_pylist(), 1)]


def _table(path: str, file: str) -> Any:
    if importlib.util.find_spec("pyarrow") is None:
        hint = "Run: pip install 'pytest-promptgate[parquet]'"
        raise DatasetError(Place(file=file), "reading .parquet needs pyarrow, which is not installed", hint=hint)
    import pyarrow
    import pyarrow.parquet

    try:
        # Not read_table: that one adds columns from directories called name=value.
        with pyarrow.parquet.ParquetFile(path) as opened:
            return opened.read()
    except (pyarrow.ArrowException, OSError, ValueError) as fault:
        what = f"not a readable parquet file: {one_line(str(fault), width=160)}"
        raise DatasetError(Place(file=file), what) from None


def _row(fields: Mapping[str, Any], number: int, file: str) -> Row:
    values: dict[str, Json] = {}
    for column, cell in fields.items():
        try:
            values[column] = _value(cell)
        except _CellFaultError as fault:
            raise DatasetError(Place(file=file), f"row {number}, column {shown(column)}: {fault}") from None
    return Row(fields=values, line=None)


def _value(cell: Any) -> Json:
    if cell is None or isinstance(cell, bool | int | str):
        return cell
    if isinstance(cell, float):
        return _finite(cell)
    if isinstance(cell, decimal.Decimal):
        return int(cell) if cell == cell.to_integral_value() else _finite(float(cell))
    if isinstance(cell, datetime.date | datetime.time):  # a datetime is a date
        return cell.isoformat()
    if isinstance(cell, uuid.UUID):
        return str(cell)
    if isinstance(cell, Mapping):
        return {str(key): _value(value) for key, value in cell.items()}
    if isinstance(cell, list | tuple):
        return [_value(item) for item in cell]
    raise _CellFaultError(f"a value of type {type(cell).__name__}, which is no text, number, list or object")


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise _CellFaultError(f"{number} is not a finite number")
    return number
