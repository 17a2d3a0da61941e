from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_promptgate.scorers.patterns import captured


def test_offers_import_nothing_heavy() -> None:
    program = (
        "import sys, pytest_promptgate.scorers.offers\n"
        "heavy = {'deepdiff', 'jsonschema', 'pandas', 'numpy', 'yaml', 'openai', 'pydantic'}\n"
        "heavy |= {'rapidfuzz', 'sacrebleu', 'rouge_score', 'nltk', 'sqlglot', 'py3langid'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told == "[]\n"


def test_an_equal_answer_needs_no_deepdiff() -> None:
    program = (
        "import sys\nfrom pytest_promptgate.scorers.structure import compare\n"
        "assert compare({'a': 1}, {'a': 1.0}).share == 1.0\n"
        "print('deepdiff' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told == "False\n"


def test_an_interpreter_that_used_the_helper_ends_without_a_word() -> None:
    program = (
        "from pytest_promptgate.scorers.patterns import captured\n"
        "print(captured('(a+)+', 'aa', flags=0, full=True, group=0, timeout_s=30))"
    )
    told = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert (told.stdout, told.stderr) == ("aa\n", "")


@pytest.mark.parametrize("text", ["", "a", "line\nfeed", "é\ud800\u2028", "x" * 100_000])
def test_the_helper_finds_what_re_finds(text: str) -> None:
    for pattern in ("(?:.|\n)*", "(b)?$"):
        here = captured(pattern, text, flags=0, full=False, group=0, timeout_s=30)
        assert here == (text if pattern.startswith("(?:") else "")
