"""Checks of the settings that suites write. Their texts are shown after ``file:line:column: scorer: ``."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pytest_promptgate.core.wording import did_you_mean, shown


def unknown(setting: str, value: object, accepted: Collection[str]) -> ValueError:
    """The error for a value that is none of `accepted`, with the likely meaning first."""
    hint = did_you_mean(str(value), accepted, label="Accepted").rstrip(".")
    return ValueError(f"{setting} cannot be {shown(value)}. {hint}")  # type: ignore[arg-type]


def choice(setting: str, value: object, accepted: Collection[str]) -> None:
    """Let one of `accepted` pass."""
    if not isinstance(value, str) or value not in accepted:
        raise unknown(setting, value, accepted)


def wrong(setting: str, wanted: str, value: object) -> ValueError:
    """The error for a value of another kind than `wanted`."""
    return ValueError(f"{setting} must be {wanted}, not {shown(value)}")  # type: ignore[arg-type]


def flag(setting: str, value: object) -> None:
    """Let true and false pass."""
    if not isinstance(value, bool):
        raise wrong(setting, "true or false", value)


def name_of_expected(value: object) -> None:
    """Let a column, a key or nothing pass."""
    if value is not None and (not isinstance(value, str) or not value):
        raise wrong("expected", "the name of a column or of a key of the row's expected value", value)


def strings(setting: str, value: object) -> tuple[str, ...]:
    """A text, or a list of them, as a tuple; an empty list or an empty text is refused."""
    items = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
    for item in items:
        if not isinstance(item, str) or not item:
            raise wrong(setting, "a text or a list of texts, none of them empty", item)
    if not items:
        raise ValueError(f"{setting} must not be an empty list")
    return items
