"""The documents say what is true: their code runs, their files, commands and words exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import typer
import yaml

import shaketable
from shaketable.cli.app import app
from shaketable.search import Status

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))),
)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def run_blocks(source: str) -> dict[str, object]:
    """Execute the Python blocks of a document one after the other."""
    names: dict[str, object] = {"__name__": "document"}
    for block in re.findall(r"```python\n(.*?)```", source, re.DOTALL):
        code = compile(block, "document", "exec", dont_inherit=True)
        exec(code, names)  # noqa: S102  (our own documents)
    return names


def phantom(shift: int) -> np.ndarray:
    """A bright body with two organs, 64 x 64."""
    image = np.zeros((64, 64), dtype=np.float32)
    image[6:58, 10:54] = 0.5
    image[16 + shift : 30 + shift, 16:28] = 0.9
    image[34:50, 34 + shift : 46 + shift] = 0.2
    return image


def test_readme_example_runs_and_its_claims_hold(tmp_path, monkeypatch, capsys):
    (tmp_path / "images").mkdir()
    for shift in (0, 3):
        np.save(tmp_path / "images" / f"phantom-{shift}.npy", phantom(shift))
    source = text_of("README.md")
    # The default search takes a minute here and shows nothing more about the text.
    quick = "st.WorstCase(radii=(0.02,), search=st.Search(budget=st.Budget(n_gradients=5)))"
    assert source.count("st.WorstCase()") == 1
    monkeypatch.chdir(tmp_path)
    run_blocks(source.replace("st.WorstCase()", quick))
    printed = capsys.readouterr().out.splitlines()
    words = [line.partition(":")[0] for line in printed]
    assert set(words[:2]) <= {"unstable", "stable", "inconclusive"}
    assert (tmp_path / printed[-1]).is_file()
    results = json.loads((tmp_path / "runs/my-network/results.json").read_text())
    zero_filling = [r for r in results["records"] if r["method"] == "my-network"]
    shaken = [r["amplification"] for r in zero_filling if r["probe"] == "worst_case"]
    kept = [r["contrast_recovery"] for r in zero_filling if r["probe"] == "structural"]
    assert len(shaken) == 2
    assert max(shaken) <= 1 + 1e-5
    assert np.mean(kept) < 0.9


def test_examples_of_extending_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run_blocks(text_of("docs/extending.md"))
    assert names["run"].verdicts[0]["probe"] == "brightness"
    assert (tmp_path / "runs/brightness/report.html").is_file()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text_of(document))
    local = {target for target in targets if "://" not in target}
    missing = [t for t in sorted(local) if not (ROOT / document).parent.joinpath(t).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_exist(document):
    named = set(re.findall(r"`([\w./-]+(?:\.py|/))`", text_of(document)))
    elsewhere = {"demo/"}  # made by a run
    folders = [ROOT / name for name in ("src", "tests", "benchmarks", "docs", "examples")]
    paths = [f"{path}/" for folder in folders for path in (folder, *folder.rglob("*"))]
    missing = [
        name
        for name in sorted(named - elsewhere)
        if not any(path.endswith(f"/{name.rstrip('/')}/") for path in paths)
    ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_programs_know_what_they_are_asked(document):
    """A number stands beside the program that prints it: that exists, with that section and option."""
    for name, rest in re.findall(r"`(?:python )?(benchmarks/\w+\.py)([^`]*)`", text_of(document)):
        source = "".join(
            path.read_text(encoding="utf-8")
            for path in (ROOT / name, *(ROOT / "benchmarks").glob(f"{Path(name).stem}_*.py"))
        )
        sections = re.findall(r"^ ([a-z]\w+)", rest)
        options = re.findall(r"(--[a-z-]+)", rest)
        unknown = [word for word in (*sections, *options) if word not in source]
        assert unknown == [], name


def test_every_measured_row_names_its_program():
    """In the row, or in the text above a table that one program prints."""
    measured = text_of("docs/benchmarks.md").split("\n## ", 1)[1]
    tables = re.findall(r"^((?:[^|\n].*\n)*)\n((?:\|.*\n)+)", measured, re.MULTILINE)
    rows = [row for _, table in tables for row in table.splitlines()]
    assert rows == re.findall(r"^\|.*$", measured, re.MULTILINE)
    for above, table in tables:
        unnamed = [
            row
            for row in table.splitlines()[2:]
            if not re.search(r"\| (`benchmarks/[^|]*`|same|same, `--[^|]*`) \|$", row)
        ]
        assert unnamed == [] or "`benchmarks/" in above


def test_decisions_are_numbered_told_alike_and_listed():
    listed = re.findall(
        r"^(\d+)\. \[(.+)\]\((.+)\)$", text_of("docs/decisions/README.md"), re.MULTILINE
    )
    pages = []
    for number, path in enumerate(DECISIONS, start=1):
        source = path.read_text(encoding="utf-8")
        assert path.name.startswith(f"{number:04}-")
        title = re.match(rf"# {number}\. (.+)\n", source)
        assert title is not None, path.name
        pages.append((str(number), title[1], path.name))
        headings = re.findall(r"^## (.+)$", source, re.MULTILINE)
        parts = re.split(r"^## .*$", source, flags=re.MULTILINE)
        assert headings[:2] == ["Decision", "Why"]
        assert headings[-1] == "What follows"
        assert all(part.strip() for part in parts)
        assert len(re.findall(r"\.(?:\s|$)", parts[1].strip())) == 1, "one sentence"
    assert listed == pages


def test_readme_and_architecture_stay_short():
    assert len(text_of("README.md").splitlines()) <= 140
    assert len(text_of("ARCHITECTURE.md").splitlines()) <= 150


def test_every_room_is_in_the_architecture():
    package = ROOT / "src" / "shaketable"
    rooms = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    rooms |= {path.name for path in package.glob("[a-z]*.py")}
    assert sorted(room for room in rooms if room not in text_of("ARCHITECTURE.md")) == []


def test_readme_lists_the_commands_there_are():
    group = typer.main.get_command(app)
    verbs = {name for name in group.commands if name != "zoo"}
    verbs |= {f"zoo {name}" for name in group.commands["zoo"].commands}
    listed = re.findall(r"^\| `shaketable ((?:zoo )?[a-z]+)", text_of("README.md"), re.MULTILINE)
    assert sorted(listed) == sorted(verbs)


def test_statuses_are_explained():
    source = text_of("docs/what-it-measures.md")
    assert [status for status in Status if f"| `{status}` |" not in source] == []


def test_versions_agree():
    citation = yaml.safe_load(text_of("CITATION.cff"))
    assert citation["version"] == shaketable.__version__
    assert f"\n## {shaketable.__version__} " in text_of("CHANGELOG.md")
