"""A story of segments in, the figures that say whether they hold out: what models of half the customers agree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perennial.report.charts import numbers as n
from perennial.report.charts.intervals import Line, Row, columns, interval_rows
from perennial.report.charts.svg import Drawing
from perennial.report.context import Story, interval
from perennial.report.page import Estimate, Figure, Grid, Table, TableRow, heads

WORDS = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six", 7: "Seven", 8: "Eight"}


def by_k(story: Story) -> Figure:
    found, line = story.evaluation["by_k"], _line(story)
    stable = [row["k"] for row in found if row["reported"]["value"] >= line]
    finding = f"{WORDS.get(k_of(story), k_of(story))} is what was chosen, on other pairs of halves"
    if not stable:
        finding = "No number of segments is stable"
    elif max(stable) == k_of(story):
        finding = f"{WORDS.get(k_of(story), k_of(story))} is the most that holds"
    bars = columns(
        [(str(row["k"]), interval(row["reported"])) for row in found], [Line(at=line, name=f"{line:g} needed")],
        two, label=finding, axis="Number of segments", bars=False, span=(0, 1),
    )  # fmt: skip
    described = "Agreement (adjusted Rand index) of models of disjoint halves: mean, and range of the pairs."
    return Figure(finding=finding, described=described, drawing=Drawing(wide=bars))


def steady(story: Story) -> Figure:
    found = segments_of(story)
    least = min(found, key=lambda one: float(one["steady"]["value"]))
    rows = [
        Row(
            name=one["name"],
            interval=interval(one["steady"]),
            note=f"{n.count(one['n'])} customers",
            standing="reference",
        )
        for one in found
    ]
    finding = f"“{least['name']}” is the least firm group"
    drawing = interval_rows(rows, [Line(at=1, name="all")], n.share, label=finding)
    described = "Test customers whom models of half the customers put into the same segment, mean and range."
    return Figure(finding=finding, described=described, drawing=Drawing(wide=drawing))


def agreement(story: Story) -> Table:
    names = ("Choosing, validation", "Reported, test", "Least share named alike")
    rows = [
        TableRow(
            cells=(
                f"{row['k']}{' (chosen)' if row['k'] == k_of(story) else ''}",
                _estimate(row["chosen"]) if row["chosen"] else "",
                _estimate(row["reported"]),
                n.share(row["reported"]["named"]),
            ),
            chosen=row["k"] == k_of(story),
        )
        for row in story.evaluation["by_k"]
    ]
    return Table(
        finding="The number was chosen on some pairs of halves and is reported on others",
        described="Agreement of two models, each fitted on another half of the other customers: mean, range of pairs.",
        grid=Grid(columns=heads("Segments", *names), rows=tuple(rows)),
        foot="There is no deep family here: a network learns from outcomes, and segments have none.",
    )


def _estimate(found: Mapping[str, float]) -> Estimate:
    return Estimate.of(interval(found), two)


def two(value: float) -> str:
    return n.decimal(value, 2)


def segments_of(story: Story) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = story.evaluation["segments"]
    return found


def reported(story: Story, k: int) -> Mapping[str, float]:
    found: Mapping[str, float] = next(row["reported"] for row in story.evaluation["by_k"] if row["k"] == k)
    return found


def k_of(story: Story) -> int:
    return int(story.evaluation["k"])


def _line(story: Story) -> float:
    return float(story.contract.task.minimum)
