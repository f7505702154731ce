from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import shaketable
from shaketable.cli import main
from shaketable.cli.progress import RunProgress, time_left
from shaketable.runs import Event
from tests.helpers.small_plan import write_small_plan

STRUCTURAL = {"probes": {"structural": {"details": ["heart"], "size": 8}}}
VERBS = ("demo", "check", "run", "compare", "report", "show", "init", "zoo")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "10000"), ({"GOMP_SPINCOUNT": "5"}, "5"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None")],
)
def test_threads_wait_briefly_unless_the_environment_says_how(
    given: dict[str, str], expected: str
) -> None:
    program = (
        "import os\nfrom shaketable.cli import main\nmain(['--version'])\n"
        "print(os.environ.get('GOMP_SPINCOUNT'))"
    )
    names = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env=environment | given,
    )  # fmt: skip
    assert done.stdout.split()[-1] == expected


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["run", "--help"], ["zoo"], ["x"]]
)
def test_quick_answers_import_no_torch(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom shaketable.cli import main\n"
        f"main({arguments!r})\n"
        "heavy = {'torch', 'numpy', 'scipy', 'matplotlib', 'h5py'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_module_runs_and_exits_with_the_code() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shaketable", "run"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_help_names_every_verb_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert all(f"\n  {verb} " in printed for verb in VERBS)
    assert "..." not in printed.partition("Commands:")[2]
    assert all(f"{code} " in printed for code in range(4))


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"shaketable {shaketable.__version__}\n"


def test_check_writes_nothing_and_says_what_it_found(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small_plan(folder)
    before = {path for path in folder.iterdir() if path.name != "__pycache__"}
    assert main(["check", "plan.yaml"]) == 0
    printed = capsys.readouterr().out
    assert "2 complex, 32 x 32" in printed
    assert "gradient" in printed
    assert {path for path in folder.iterdir() if path.name != "__pycache__"} == before


def test_a_run_is_shown_replayed_reported_and_resumed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small_plan(folder)
    code = main(["run", "plan.yaml", "--out", "out"])
    printed = capsys.readouterr().out
    results = json.loads((folder / "out" / "results.json").read_text())
    verdicts = {verdict["verdict"] for verdict in results["verdicts"]}
    assert code == (1 if "unstable" in verdicts else 3 if "inconclusive" in verdicts else 0)
    assert "[6/6] worst_case-image-images-001@total-variation@Net: done" in printed
    assert results["verdicts"][0]["statement"] in printed

    (folder / "out" / "report.html").unlink()
    assert main(["report", "out"]) == 0
    assert (folder / "out" / "report.html").is_file()

    # Another directory, so that nothing but the stored plan leads back to the problem.
    (folder / "plan.yaml").unlink()
    capsys.readouterr()
    assert main(["show", "out", "worst-case"]) == 0
    shown = capsys.readouterr().out
    assert shown.count(" same") == len(results["records"])
    assert "DIFFERENT" not in shown

    records = (folder / "out" / "records.jsonl").read_bytes()
    write_small_plan(folder)
    assert main(["run", "plan.yaml", "--out", "out"]) == code
    assert "[6/6] kept 6 that were done before" in capsys.readouterr().out
    assert (folder / "out" / "records.jsonl").read_bytes() == records


def test_show_says_when_a_perturbation_does_something_else(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small_plan(folder)
    main(["run", "plan.yaml", "--out", "out"])
    results = folder / "out" / "results.json"
    stored = json.loads(results.read_text())
    stored["records"][0]["error"] *= 1.01
    results.write_text(json.dumps(stored))
    capsys.readouterr()
    assert main(["show", "out"]) == 2
    captured = capsys.readouterr()
    assert "DIFFERENT" in captured.out
    assert f"got 1 of {len(stored['records'])} that do not" in captured.err


def test_a_run_made_in_python_is_shown_without_its_network(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from shaketable import Plan, WorstCase
    from shaketable.plan import load_plan
    from shaketable.runs import run
    from shaketable.search import Budget, Search

    loaded = load_plan(write_small_plan(folder))
    probe = WorstCase(radii=(0.01,), search=Search(budget=Budget(n_gradients=2)), n_random=1)
    run(loaded.problem, loaded.images[:1], Plan(probes=(probe,)), out="out")
    assert main(["show", "out"]) == 0
    assert "made in Python" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"),
    [(["stable"], 0), (["stable", "unstable"], 1), (["unstable", "inconclusive"], 1),
     (["stable", "inconclusive"], 3), ([], 3)],
)  # fmt: skip
def test_exit_codes_of_run_follow_the_verdicts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int
) -> None:
    from shaketable.runs import Run

    verdicts = [{"probe": "sampling", "verdict": word, "statement": "So it is."} for word in words]
    finished = Run(directory=folder, results={"verdicts": verdicts, "notes": ["One item failed."]})
    monkeypatch.setattr("shaketable.runs.run", lambda *args, **kwargs: finished)
    monkeypatch.setattr(Run, "report", lambda self, out=None: folder / "report.html")
    write_small_plan(folder, STRUCTURAL)
    assert main(["run", "plan.yaml", "--out", "out"]) == code


def test_interrupting_says_how_to_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from shaketable.probes import Structural

    measure = Structural.measure

    seen: list[int] = []

    def interrupted(self: Structural, case: Any) -> Any:
        if case.seed not in seen:
            seen.append(case.seed)
        if len(seen) == 2:  # the second image
            raise KeyboardInterrupt
        return measure(self, case)

    monkeypatch.setattr(Structural, "measure", interrupted)
    write_small_plan(folder, STRUCTURAL)
    assert main(["run", "plan.yaml", "--out", "out"]) == 130
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "kept in 'out'; the same command goes on" in message
    assert main(["report", "out"]) == 0

    monkeypatch.setattr(Structural, "measure", measure)
    capsys.readouterr()
    assert main(["run", "plan.yaml", "--out", "out"]) in (0, 1, 3)
    assert "kept 2 that were done before" in capsys.readouterr().out


def test_interrupting_before_anything_is_stored(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("shaketable.runs.run", interrupted)
    write_small_plan(folder, STRUCTURAL)
    assert main(["run", "plan.yaml", "--out", "out"]) == 130
    assert "before any result was written" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_debug_shows_where_an_error_came_from(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "nowhere.yaml", "--debug"]) == 2
    message = capsys.readouterr().err
    assert "Traceback" in message
    assert message.splitlines()[-1].startswith("nowhere.yaml: Expected a plan file")


def test_an_error_of_our_own_is_one_sentence_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(path: Path) -> None:
        raise ZeroDivisionError("division by zero\nand more")

    monkeypatch.setattr("shaketable.plan.load_plan", broken)
    assert main(["check", "plan.yaml"]) == 2
    message = capsys.readouterr().err
    assert message == (
        "Expected no error inside Shaketable, got ZeroDivisionError (division by zero); "
        "run again with --debug to see where.\n"
    )


def test_warnings_are_notes_and_each_is_said_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small_plan(folder, STRUCTURAL | {"network": {"object": "warning:f"}})
    (folder / "warning.py").write_text(
        "import warnings\n"
        "def f(y, A):\n    warnings.warn('Slow  path.', UserWarning)\n    return A.adjoint(y)\n"
    )
    assert main(["run", "plan.yaml", "--out", "out"]) in (0, 1, 3)
    assert capsys.readouterr().err.count("Note: Slow path.\n") == 1


def test_init_writes_a_plan_that_is_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "new.yaml", "--example", "mri"]) == 0
    assert "shaketable run new.yaml" in capsys.readouterr().out
    assert [path.name for path in folder.iterdir()] == ["new.yaml"]
    assert yaml.safe_load((folder / "new.yaml").read_text())["network"] == {"zoo": "deep-mri"}


@pytest.mark.parametrize(
    ("verb", "kind"), [(["demo"], "demo"), (["zoo", "test", "deep-mri"], "standard")]
)
def test_demo_and_zoo_test_are_done_whatever_they_find(
    folder: Path, monkeypatch: pytest.MonkeyPatch, verb: list[str], kind: str
) -> None:
    from shaketable.plan import load_plan

    asked: list[str] = []

    def small(which: str, network: str = "deep-mri") -> object:
        asked.append(which)
        return load_plan(write_small_plan(folder, STRUCTURAL))

    monkeypatch.setattr("shaketable.plan.load_zoo_plan", small)
    assert main([*verb, "--out", "out"]) == 0
    assert asked == [kind]
    assert (folder / "out" / "report.html").is_file()


def test_progress_draws_every_event_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with RunProgress() as progress:
        progress(Event(kind="checks", message="checking"))
        progress(
            Event(kind="progress", item="a", n_items=4, n_done=1, share=0.5, seconds_left=70.0)
        )
        task = progress._live.tasks[0]
        assert (task.completed, task.total) == (1.5, 4)
        assert task.fields == {"done": "1/4 tasks", "left": "about 1 min left"}


def test_time_left_is_rounded_as_an_estimate() -> None:
    assert time_left(3700) == "about 1 h 2 min left"
    assert time_left(2) == "about 5 s left"
