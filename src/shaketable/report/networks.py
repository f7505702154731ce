"""Several networks: their verdicts side by side, and what they differ in on the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shaketable.blocks import Entry, Interval, Lines, Table, interval, plain
from shaketable.blocks.wording import title_of
from shaketable.report.cards import domain_title, network_of
from shaketable.report.words import COMPARISONS, VERDICTS
from shaketable.stored import Record, StoredRun, bounds, number, text

_MISSING = "–"


def network_table(run: StoredRun, titles: Mapping[str, str]) -> Table | None:
    """Return one row per network, one column per probe and domain; None without verdicts."""
    order = list(titles)
    verdicts = sorted(run.verdicts, key=lambda v: _place(order, text(v, "probe")))
    columns: dict[str, list[Record]] = {}
    for verdict in verdicts:
        columns.setdefault(_title(verdict, titles), []).append(verdict)
    if not columns:
        return None
    rows: list[tuple[Entry, ...]] = []
    for network in run.networks:
        entries = (
            next((_judged(v) for v in column if network_of(run, v) == network), _MISSING)
            for column in columns.values()
        )
        rows.append((network, *entries))
    measures = (f"{title}: {_measures(column)}." for title, column in columns.items())
    return Table(
        caption="Every network and every probe: the verdict, the number it rests on and its interval. "
        f"What is compared: {' '.join(measures)}",
        columns=("Network", *columns),
        rows=tuple(rows),
    )


def comparison_table(run: StoredRun, titles: Mapping[str, str]) -> Table | None:
    """Return what networks differ in on the same images; None where nothing was compared."""
    rows: list[tuple[Entry, ...]] = []
    for one in run.comparisons:
        word, sign, tone = COMPARISONS.get(text(one, "verdict"), (_MISSING, "", ""))
        said = f"{sign} {word}".strip()
        rows.append(
            (
                _title(one, titles),
                text(one, "network", _MISSING),
                text(one, "beside", _MISSING),
                Lines(lines=(said,), tone=tone),
                plain(number(one, "estimate")),
                _interval(one) or _MISSING,
                plain(number(one, "n_images")),
                text(one, "statement"),
            )
        )
    if not rows:
        return None
    return Table(
        caption="Differences on the same images, so that what is "
        "difficult about an image does not count.",
        columns=(
            *("Probe", "Network", "Beside", "It is", "Difference", "Interval", "Images"),
            "What it says",
        ),
        rows=tuple(rows),
    )


def _place(order: Sequence[str], probe: str) -> int:
    return order.index(probe) if probe in order else len(order)


def _title(verdict: Record, titles: Mapping[str, str]) -> str:
    probe = text(verdict, "probe")
    return domain_title(titles.get(probe) or title_of(probe), verdict)


def _measures(verdicts: Sequence[Record]) -> str:
    return " or ".join(dict.fromkeys(text(verdict, "measure", "estimate") for verdict in verdicts))


def _interval(row: Record) -> Interval | None:
    low, high = bounds(row)
    return None if low is None and high is None else interval(low, high)


def _judged(verdict: Record) -> Lines:
    name = text(verdict, "verdict", "no result")
    word, sign = VERDICTS.get(name, (name.capitalize(), _MISSING))
    estimate = number(verdict, "estimate")
    numbers = () if estimate is None else (plain(estimate), _interval(verdict) or "no interval")
    return Lines(lines=(f"{sign} {word}", *numbers), tone=name if name in VERDICTS else "")
