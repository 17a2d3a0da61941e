"""``testpaths`` in the files of pytest's settings: a directory is added, and every other byte stays."""

from __future__ import annotations

import configparser
import re
import tomllib
from typing import Any

from pytest_promptgate.errors import ConfigError, Place

# In the order in which pytest looks for them, with the section that makes each of them its own.
PYTEST_FILES = {
    "pytest.toml": "pytest",
    ".pytest.toml": "pytest",
    "pytest.ini": "pytest",
    ".pytest.ini": "pytest",
    "pyproject.toml": "tool.pytest",
    "tox.ini": "pytest",
    "setup.cfg": "tool:pytest",
}
_ALWAYS = {"pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml"}  # pytest's own, even without the section


def with_testpath(name: str, text: str, directory: str) -> str | None:
    """`text` with `directory` among its ``testpaths``, if it names any; None if it holds no settings of pytest.

    Raises:
        ConfigError: It cannot be read.
    """
    given = _toml(name, text) if name.endswith(".toml") else _ini(name, text)
    if given is None:
        return text if name in _ALWAYS else None
    if not given or {directory, f"{directory}/", "."} & {*given}:
        return text
    return _added(name, text, directory)


def _toml(name: str, text: str) -> list[str] | None:
    try:
        section: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(Place(file=name), f"cannot be read: {error}") from None
    for key in PYTEST_FILES[name].split("."):
        section = section.get(key) if isinstance(section, dict) else None
    if isinstance(section, dict) and isinstance(section.get("ini_options"), dict):
        section = section["ini_options"]
    if not isinstance(section, dict):
        return None
    paths = section.get("testpaths", [])
    return paths.split() if isinstance(paths, str) else [str(each) for each in paths]


def _ini(name: str, text: str) -> list[str] | None:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ConfigError(Place(file=name), f"cannot be read: {str(error).splitlines()[0]}") from None
    section = PYTEST_FILES[name]
    return parser.get(section, "testpaths", fallback="").split() if parser.has_section(section) else None


def _added(name: str, text: str, directory: str) -> str:
    if name.endswith(".toml"):
        listed = re.sub(r"(?m)^(\s*testpaths\s*=\s*\[(?:[ \t]*\n[ \t]*)?)", rf'\1"{directory}", ', text, count=1)
        return re.sub(r"""(?m)^(\s*testpaths\s*=\s*["'])(?=[^"'])""", rf"\1{directory} ", listed, count=1)
    first = re.sub(r"(?m)^(testpaths[ \t]*[=:])[ \t]*", rf"\1 {directory} ", text, count=1)
    return first.replace(f" {directory} \n", f" {directory}\n")
