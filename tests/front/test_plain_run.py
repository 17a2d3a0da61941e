"""A plain pytest run pays nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from front_project import RIGHT, Project, asked, lines_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback.server import LoopbackServer

HEAVY = (
    *("openai", "pandas", "deepdiff", "jinja2", "yaml", "pydantic", "scipy", "aiohttp", "rich", "click", "numpy"),
    *("jsonschema", "genai_prices", "pyarrow", "rapidfuzz", "sqlglot", "nltk"),
)
# What is for asking, for prices, tables and statistics.
UNASKED = ("openai", "aiohttp", "genai_prices", "pandas", "numpy", "scipy", "pyarrow", "click", "rich")


def test_without_the_flag_no_suite_is_collected_and_nothing_is_written(project: Project) -> None:
    project.standard()
    project.write("test_unit.py", "def test_one():\n    pass\n")
    before = {path for path in project.root.rglob("*") if "__pycache__" not in path.parts}

    result = project.run("-p", "no:cacheprovider")

    result.assert_outcomes(passed=1)
    assert {path for path in project.root.rglob("*") if "__pycache__" not in path.parts} == before
    assert "promptgate" not in result.stdout.str().replace("plugins: ", "\0").split("\0")[0]


def test_the_plugin_adds_no_line_to_a_plain_run(project: Project) -> None:
    project.write("test_unit.py", "def test_one():\n    pass\n")

    with_plugin = project.run_apart("-q", "-p", "no:cacheprovider")
    without = project.run_apart("-q", "-p", "no:cacheprovider", "-p", "no:promptgate")

    def shape(result: pytest.RunResult) -> list[str]:
        return [line.split(" in ")[0] for line in result.stdout.lines]

    assert shape(with_plugin) == shape(without)
    assert with_plugin.stderr.str() == without.stderr.str() == ""


def test_a_plain_run_imports_three_modules_of_ours_and_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "test_modules.py").write_text(
        "import sys\n"
        "def test_modules():\n"
        "    ours = sorted(name for name in sys.modules if name.split('.')[0] == 'pytest_promptgate')\n"
        "    assert ours == ['pytest_promptgate', 'pytest_promptgate._version', 'pytest_promptgate.plugin']\n"
        f"    assert not [name for name in {HEAVY!r} if name in sys.modules]\n",
        encoding="utf-8",
    )
    # Only our plugin: other plugins of this environment import what they like.
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "pytest_promptgate.plugin", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_plugin_can_be_switched_off(project: Project) -> None:
    project.standard()
    project.write("test_unit.py", "def test_one():\n    pass\n")

    result = project.run_apart("-p", "no:promptgate")

    result.assert_outcomes(passed=1)


def test_the_marker_is_known_under_strict_markers_without_the_flag(project: Project) -> None:
    project.write("test_unit.py", "import pytest\n@pytest.mark.prompt_eval\ndef test_one():\n    pass\n")

    result = project.run("--strict-markers", "-m", "not prompt_eval")

    result.assert_outcomes(deselected=1)


def test_a_second_run_imports_no_client_no_prices_and_nothing_for_tables_or_statistics(
    project: Project, loopback: Callable[..., LoopbackServer]
) -> None:
    server = loopback(answers=RIGHT)
    project.served(server.base_url).accept()
    project.write(
        "conftest.py",
        "import sys\n"
        "def pytest_unconfigure():\n"
        f"    print('heavy:', [name for name in {UNASKED!r} if name in sys.modules])\n",
    )

    unchanged = project.run_apart("--prompt-evals", "-s")
    (project.root / "promptgate.lock.json").unlink()
    stored = project.run_apart("--prompt-evals", "-s")

    assert [lines_of(each, "heavy:") for each in (unchanged, stored)] == [["heavy: []"], ["heavy: []"]]
    assert asked(unchanged) == ["10 cases: 10 unchanged, 0 asked"]
    assert asked(stored) == ["10 cases: 0 unchanged, 10 from the store, 0 asked"]
    assert server.count == 10
