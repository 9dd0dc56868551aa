"""Blocks that every task shows alike: reasons, people, training curve, families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perennial.report import numbers as n
from perennial.report.curves import Curve, Flag, training
from perennial.report.intervals import inline
from perennial.report.numbers import Interval
from perennial.report.page import (
    Column,
    Estimate,
    Figure,
    Grid,
    People,
    Person,
    Reason,
    Reasons,
    Section,
    Table,
    TableRow,
)
from perennial.report.story import FAMILY_NAMES, Story, interval
from perennial.report.svg import Drawing

_GROUPS = 8


def reasons_section(story: Story, *, effect: str) -> Section:
    """What the model goes by, for groups and for single customers. `effect` says what a part adds to."""
    return Section(
        anchor="reasons",
        name="Why these customers",
        blurb="What the model goes by, in words.",
        blocks=(_groups(story, effect), _people(story)),
    )


def training_figure(story: Story) -> Figure:
    curve, kept = story.curve, int(story.summaries["train"]["best_epoch"])
    x = [int(row["epoch"]) for row in curve]
    curves = [
        Curve(name="validation", x=x, y=[row["val_loss"] for row in curve], tone="orange",
              flag=Flag(at=kept, says=(f"kept: pass {kept}",))),
        Curve(name="training", x=x, y=[row["train_loss"] for row in curve], tone="grey"),
    ]  # fmt: skip
    return Figure(
        finding="Training stopped when it no longer helped",
        described="Log loss of the deep network; lower is better.",
        drawing=Drawing(
            wide=training(
                curves, n.decimal, label=f"Log loss by pass; kept pass {kept}", axis="Pass over the training data"
            )
        ),
    )


def families_table(story: Story, columns: Sequence[tuple[str, str]], finding: str) -> Table:
    """All families on the same test rows; `columns` pairs a metric's key with its name, the primary first."""
    found: Mapping[str, Any] = story.evaluation["families"]
    candidate = story.evaluation["candidate"]["family"]
    deep = story.evaluation["deep_minus_traditional"]
    rows = story.evaluation["rows"]["test"]
    difference = n.estimate(interval(deep), n.difference)
    return Table(
        finding=finding,
        described=f"Test set, {n.count(rows)} customers. Deep − {FAMILY_NAMES[deep['traditional']].lower()}: "
        f"{difference} {deep['metric'].upper()}.",
        grid=Grid(
            columns=(Column(name="Family"), *(Column(name=name, right=True) for _, name in columns)),
            rows=tuple(
                TableRow(
                    cells=(
                        FAMILY_NAMES[family] + (" (chosen)" if family == candidate else ""),
                        *(_cell(parts["test"][key], first=i == 0) for i, (key, _) in enumerate(columns)),
                    ),
                    chosen=family == candidate,
                )
                for family, parts in sorted(found.items(), key=lambda item: list(FAMILY_NAMES).index(item[0]))
            ),
        ),
    )


def _cell(value: Any, *, first: bool) -> str | Estimate:
    if not isinstance(value, dict):
        return n.decimal(value, 1)
    found = interval(value)
    return (
        Estimate(value=n.decimal(found.value), interval=n.bracket(found, n.decimal))
        if first
        else n.decimal(found.value)
    )


def _groups(story: Story, effect: str) -> Reasons:
    """The strongest groups, at most two a column, as changes of the log odds."""
    taken: list[Mapping[str, Any]] = []
    for group in story.summaries["explain"]["groups"]:
        if sum(other["column"] == group["column"] for other in taken) < 2 and len(taken) < _GROUPS:
            taken.append(group)
    width = max((abs(group["effect"]) for group in taken), default=1.0)
    most = story.summaries["explain"]["importance"]
    finding = f"{_capital(most[0]['label'])} and {most[1]['label']} matter most" if len(most) > 1 else "What matters"
    error, spread = (story.summaries["explain"][key] for key in ("completeness_error", "spread"))
    exact = (
        "Parts are exact."
        if error == 0
        else f"Parts add up to the score but for {error:.2f} of {spread:.2f} on average."
    )
    return Reasons(
        finding=finding,
        described=f"Average change in {effect} (log odds), for the customers it applies to. Blue raises, orange lowers.",
        unit="Log odds",
        reasons=tuple(
            Reason(
                when=_capital(group["words"]),
                rather="than the average customer",
                applies=n.share(group["share"]),
                bar=inline(
                    Interval(value=group["effect"], low=group["effect"], high=group["effect"]), (-width, width),
                    label=f"{n.difference(group['effect'], 2)} log odds", filled=True,
                ),
                change=n.difference(group["effect"], 2),
                interval=f"{n.count(group['n'])} customers",
            )
            for group in taken
        ),
        foot=f"These are patterns in past data, not causes. {exact}",
    )  # fmt: skip


def _people(story: Story) -> People:
    people = []
    for row in story.people:
        raises, _, lowers = str(row["reasons"]).partition(" but ")
        people.append(Person(row=f"row {row['row']}", score=row["score"], reasons=_capital(raises), but=lowers))
    return People(
        finding="Each customer on the list comes with reasons",
        described=f"{len(people)} of the test customers: the record in the file, the score, what moved it most.",
        people=tuple(people),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
