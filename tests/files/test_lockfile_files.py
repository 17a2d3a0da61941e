"""The lockfile and its outputs on the disk."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from made_baselines import made_baseline, made_case, made_recipe

from pytest_promptgate.core.types import Baseline, Completion, Score
from pytest_promptgate.errors import Faults, LockfileError, PromptGateError
from pytest_promptgate.files.lockfile import (
    outputs_directory,
    read_baseline,
    read_lockfile,
    save_baselines,
    write_lockfile,
)
from pytest_promptgate.files.lockfile_format import Lockfile, dumps

KEPT = "\n  The old content was kept. Mend the cause and run the command again: stored answers cost nothing."


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "promptgate.lock.json"


def full_baseline(*, suite: str = "triage", slot: str = "default", text: str = "billing") -> Baseline:
    baseline = made_baseline([made_case("t-001", {"queue": Score(value=1.0)}, texts=[text])], suite=suite, slot=slot)
    recipe = made_recipe()
    return replace(
        baseline, messages=recipe.prompt.messages, recipe=recipe, outputs={("t-001", 1): Completion(text=text)}
    )


def told(path: Path) -> str:
    with pytest.raises(PromptGateError) as caught:
        read_lockfile(path, root=path.parent)
    return str(caught.value)


def test_a_missing_lockfile_is_an_empty_one(path: Path) -> None:
    assert read_lockfile(path) == Lockfile()


def test_what_is_written_is_read_back(path: Path) -> None:
    lockfile = Lockfile().updated([made_baseline(), made_baseline(suite="other")])

    assert write_lockfile(path, lockfile)
    assert read_lockfile(path) == lockfile
    assert [each.name for each in path.parent.iterdir()] == ["promptgate.lock.json"]


def test_a_byte_order_mark_and_windows_line_ends_are_read(path: Path) -> None:
    lockfile = Lockfile().updated([made_baseline()])
    path.write_bytes(b"\xef\xbb\xbf" + dumps(lockfile).replace("\n", "\r\n").encode())

    assert read_lockfile(path) == lockfile


def test_equal_bytes_are_not_written_again(path: Path) -> None:
    lockfile = Lockfile().updated([made_baseline()])
    write_lockfile(path, lockfile)
    os.utime(path, ns=(1, 1))
    before = path.stat()

    assert not write_lockfile(path, lockfile)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_the_mode_is_kept(path: Path) -> None:
    write_lockfile(path, Lockfile())
    path.chmod(0o640)
    write_lockfile(path, Lockfile().updated([made_baseline()]))

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_is_followed(path: Path) -> None:
    real = path.with_name("real.json")
    real.write_text("{}", encoding="utf-8")
    path.symlink_to(real)
    write_lockfile(path, Lockfile())

    assert path.is_symlink()
    assert real.read_text(encoding="utf-8") == dumps(Lockfile())


def test_a_directory_in_its_place_is_an_error(path: Path) -> None:
    path.mkdir()

    assert told(path) == (
        "promptgate.lock.json: it cannot be read: Is a directory\n"
        "  Make it a readable file, or name another one with promptgate_lockfile."
    )


def test_another_encoding_is_an_error_with_its_line(path: Path) -> None:
    path.write_bytes(b'{"lockfile_version": 1,\n"prompts": {"caf\xe9@v1": "d"}, "suites": {}}')

    assert told(path) == (
        "promptgate.lock.json:2: the file is not UTF-8\n"
        "  Take back the committed one: git checkout -- promptgate.lock.json"
    )


def test_messages_show_the_path_from_the_root(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "promptgate.lock.json"
    path.parent.mkdir()
    path.write_text('{"lockfile_version": 9}', encoding="utf-8")

    with pytest.raises(LockfileError, match=r"\Asub/promptgate\.lock\.json: it was written by a newer"):
        read_lockfile(path, root=tmp_path)


def test_a_doubted_lockfile_is_an_error_unless_it_is_being_mended(path: Path) -> None:
    lockfile = Lockfile().updated([made_baseline(), made_baseline(suite="other")])
    path.write_text(dumps(lockfile).replace('"value":0.5', '"value":0.25'), encoding="utf-8")

    with pytest.raises(Faults, match="other: accuracy: its cases give"):
        read_lockfile(path)
    assert read_lockfile(path, mending=True).doubts.keys() == {("triage", "default"), ("other", "default")}


def test_an_update_mends_its_own_suite_and_refuses_the_doubts_of_another(path: Path) -> None:
    lockfile = Lockfile().updated([made_baseline(), made_baseline(suite="other")])
    path.write_text(dumps(lockfile).replace('"value":0.5', '"value":0.25'), encoding="utf-8")
    before = path.read_bytes()

    with pytest.raises(LockfileError) as caught:
        save_baselines(path, [made_baseline()], root=path.parent)
    assert str(caught.value) == (
        "promptgate.lock.json:17: other: accuracy: its cases give 0.5 (n=2), but 0.25 (n=2) is recorded: "
        "merged by hand or by Git\n"
        "  Run: pytest --update-baseline evals/triage.eval.yaml"
    )
    assert path.read_bytes() == before

    save_baselines(path, [made_baseline(), made_baseline(suite="other")])
    assert read_lockfile(path) == lockfile


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LockfileError) as caught:
        write_lockfile(tmp_path / "gone" / "promptgate.lock.json", Lockfile())

    assert str(caught.value) == f"promptgate.lock.json: it cannot be written: No such file or directory{KEPT}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_directory_is_an_error_and_the_old_file_stays(path: Path) -> None:
    write_lockfile(path, Lockfile())
    path.parent.chmod(0o555)
    try:
        with pytest.raises(LockfileError) as caught:
            write_lockfile(path, Lockfile().updated([made_baseline()]))
    finally:
        path.parent.chmod(0o755)

    assert str(caught.value) == f"promptgate.lock.json: it cannot be written: Permission denied{KEPT}"
    assert read_lockfile(path) == Lockfile()


def run_python(source: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_full_disk_is_an_error_and_the_old_file_stays(path: Path) -> None:
    write_lockfile(path, Lockfile())
    done = run_python(
        """
        import resource, signal, sys
        from pathlib import Path
        from pytest_promptgate.errors import LockfileError
        from pytest_promptgate.files.atomic import replace_file

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            replace_file(Path(sys.argv[1]), lambda: [b"x" * 100_000], file="promptgate.lock.json")
        except LockfileError as error:
            print(error)
        """,
        path,
    )

    assert done.stdout == f"promptgate.lock.json: it cannot be written: File too large{KEPT}\n", done.stderr
    assert read_lockfile(path) == Lockfile()
    assert [each.name for each in path.parent.iterdir()] == ["promptgate.lock.json"]


@pytest.mark.parametrize("pieces", [0, 1, 500, 999, 1000])
def test_a_process_killed_while_it_writes_leaves_the_old_file_or_the_new_one(path: Path, pieces: int) -> None:
    path.write_bytes(b"old")
    done = run_python(
        """
        import os, signal, sys
        from pathlib import Path
        from pytest_promptgate.files.atomic import replace_file

        def content():
            for number in range(1000):
                if calls > 1 and number == int(sys.argv[2]):
                    os.kill(os.getpid(), signal.SIGKILL)
                yield b"new" * 1000

        def counted():
            global calls
            calls += 1
            return content()

        calls = 0
        replace_file(Path(sys.argv[1]), counted, file="x")
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        path,
        pieces,
    )

    assert done.returncode == -signal.SIGKILL, done.stderr
    assert path.read_bytes() == (b"old" if pieces < 1000 else b"new" * 1_000_000)


# --- with outputs ----------------------------------------------------------------------------------------------------


def test_a_saved_baseline_reads_back_with_templates_and_outputs(path: Path) -> None:
    changed = save_baselines(path, [full_baseline()])
    baseline = read_baseline(path, read_lockfile(path), "triage", "default")

    assert changed == (path.with_name("promptgate.baselines") / "triage.jsonl", path)
    assert baseline is not None
    assert baseline.recipe == made_recipe()
    assert baseline.messages == made_recipe().prompt.messages
    assert dict(baseline.outputs) == {("t-001", 1): Completion(text="billing", tokens_in=12, tokens_out=3)}


def test_a_suite_without_baseline_has_none(path: Path) -> None:
    save_baselines(path, [full_baseline()])

    assert read_baseline(path, read_lockfile(path), "triage", "small") is None
    assert read_baseline(path, read_lockfile(path), "other", "default") is None


def test_saving_what_is_already_there_touches_nothing(path: Path) -> None:
    save_baselines(path, [full_baseline(), full_baseline(slot="small"), full_baseline(suite="other")])
    files = [path, *outputs_directory(path).iterdir()]
    for each in files:
        os.utime(each, ns=(1, 1))
    before = {each: each.read_bytes() for each in files}
    stored = read_baseline(path, read_lockfile(path), "triage", "default")
    assert stored is not None

    assert save_baselines(path, [stored]) == ()
    assert save_baselines(path, []) == ()
    assert {each: each.read_bytes() for each in files} == before
    assert {each.stat().st_mtime_ns for each in files} == {1}


def test_one_slot_is_updated_and_the_others_stay(path: Path) -> None:
    save_baselines(path, [full_baseline(), full_baseline(slot="small"), full_baseline(suite="other")])
    save_baselines(path, [full_baseline(slot="small", text="orders")])
    lockfile = read_lockfile(path)
    texts = {
        key: baseline.outputs["t-001", 1].text
        for key in lockfile.baselines
        if (baseline := read_baseline(path, lockfile, *key))
    }

    assert texts == {
        ("triage", "default"): "billing",
        ("triage", "small"): "orders",
        ("other", "default"): "billing",
    }


def test_outputs_are_written_before_the_lockfile(path: Path) -> None:
    done = run_python(
        """
        import resource, signal, sys
        from dataclasses import replace
        from pathlib import Path
        sys.path.insert(0, sys.argv[2])
        from made_baselines import made_baseline, made_case, made_recipe
        from pytest_promptgate.core.types import Score
        from pytest_promptgate.errors import LockfileError
        from pytest_promptgate.files.lockfile import save_baselines

        cases = [made_case(f"t-{n}", {"queue": Score(value=1.0)}) for n in range(100)]
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
        try:
            save_baselines(Path(sys.argv[1]), [replace(made_baseline(cases), recipe=made_recipe())])
        except LockfileError as error:
            print(error)
        """,
        path,
        Path(__file__).parents[1],
    )

    assert done.stdout == f"promptgate.lock.json: it cannot be written: File too large{KEPT}\n", done.stderr
    assert [each.name for each in path.parent.iterdir()] == ["promptgate.baselines"]
    assert (outputs_directory(path) / "triage.jsonl").is_file()


def test_a_damaged_lockfile_is_not_written_over(path: Path) -> None:
    path.write_text("{", encoding="utf-8")

    with pytest.raises(LockfileError, match="no valid JSON"):
        save_baselines(path, [full_baseline()])
    assert [each.name for each in path.parent.iterdir()] == ["promptgate.lock.json"]


def test_a_lockfile_that_lost_the_race_against_its_outputs_counts_them_as_absent(path: Path) -> None:
    save_baselines(path, [full_baseline()])
    old = path.read_bytes()
    save_baselines(path, [full_baseline(text="orders")])
    path.write_bytes(old)
    baseline = read_baseline(path, read_lockfile(path), "triage", "default")

    assert baseline is not None
    assert dict(baseline.outputs) == {}


def test_the_outputs_stand_beside_the_lockfile_under_its_name(tmp_path: Path) -> None:
    assert outputs_directory(tmp_path / "promptgate.lock.json") == tmp_path / "promptgate.baselines"
    assert outputs_directory(tmp_path / "mine.json") == tmp_path / "mine.baselines"
