"""One self-contained HTML file from a stored run."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from shaketable.blocks import Section
from shaketable.blocks.tables import exact, is_number
from shaketable.blocks.wording import anchor_of
from shaketable.errors import RunError
from shaketable.files import whole_file
from shaketable.report.checks import build_checks
from shaketable.report.header import build_header
from shaketable.report.layout import laid_out, prose
from shaketable.report.limits import build_limits
from shaketable.report.replay import build_replay
from shaketable.report.sections import Drawn, shown_sections
from shaketable.report.summary import build_summary
from shaketable.report.words import VERDICT_MEANINGS
from shaketable.stored import StoredRun, load_run

if TYPE_CHECKING:
    from jinja2 import Environment


def build_report(run_dir: Path, out: Path | None = None) -> Path:
    """Write the report of a stored run: one HTML file that needs nothing else.

    It is made from ``results.json`` and ``arrays/*.h5`` alone, without the network and without
    torch. Identical results give identical bytes. The file appears whole or not at all.

    Parameters
    ----------
    run_dir
        The run directory.
    out
        The file to write; ``report.html`` in the run directory by default.

    Returns
    -------
    Path
        The written file.

    Raises
    ------
    RunError
        If there is no readable ``results.json`` of a known schema, or the file cannot be written.

    Examples
    --------
    >>> build_report(Path("no-such-run"))
    Traceback (most recent call last):
    shaketable.errors.RunError: Expected a run directory with results.json, got no-such-run \
without one; finish the run with 'shaketable run' first, or name the directory it wrote.
    """
    run = load_run(Path(run_dir))
    path = Path(out) if out is not None else Path(run_dir) / "report.html"
    _write_whole(path, render(run))
    return path


def render(run: StoredRun) -> str:
    """Return the page as text."""
    environment = _environment()
    script = _source(environment, "slider.js")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    blocks = environment.get_template("partials/macros.html").module.blocks  # type: ignore[attr-defined]

    def draw(section: Section, anchor: str) -> Drawn:
        return Drawn(
            blocks=blocks(section.blocks, anchor),
            evidence=blocks(section.evidence, anchor),
            replay=blocks(section.replay, anchor),
        )

    shown = shown_sections(run, draw)
    return environment.get_template("report.html").render(
        header=build_header(run, shown),
        summary=build_summary(run, shown),
        shown=shown,
        limits=build_limits(run, shown),
        replay=build_replay(run),
        # Last, because it also lists the array files that the sections above could not read.
        checks=build_checks(run),
        meanings=VERDICT_MEANINGS,
        style=_source(environment, "style.css"),
        script=script,
        script_digest=digest,
    )


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("shaketable.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["exact"] = exact
    environment.filters["laid_out"] = laid_out
    environment.filters["prose"] = prose
    environment.filters["anchor"] = anchor_of
    environment.tests["numeric"] = is_number
    return environment


def _source(environment: Environment, name: str) -> str:
    from markupsafe import Markup

    if environment.loader is None:
        raise RunError(f"Expected the template {name} in the package, got no loader; reinstall it.")
    text, _, _ = environment.loader.get_source(environment, name)
    return Markup(text)  # noqa: S704  (our own file, shipped with the package)


def _write_whole(path: Path, page: str) -> None:
    if not path.name or path.is_dir():
        raise RunError(f"Expected to write a file, got the folder '{path}'; name a file in it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"Expected a folder for {path} that can be written, got {error}; name another."
        ) from error
    try:
        with whole_file(path) as part:
            part.write_bytes(page.encode("utf-8"))
    except OSError as error:
        raise RunError(
            f"Expected to write {path}, got {error}; free the place or name another file."
        ) from error
