"""Blocks that every task shows alike: reasons, people, training curve, families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perennial.report import numbers as n
from perennial.report.curves import Curve, Flag, training
from perennial.report.intervals import inline
from perennial.report.numbers import Interval
from perennial.report.page import (
    Block,
    Caution,
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
from perennial.report.story import FAMILY_NAMES, METRIC_NAMES, Story, capital, interval
from perennial.report.svg import Drawing

_GROUPS = 8


def reasons_section(story: Story, *, effect: str) -> Section:
    """What the model goes by, for groups and for single customers. `effect` says what a part adds to."""
    return Section(
        anchor="reasons",
        name="Why these customers" if story.verdict == "PROMOTE" else "What it goes by",
        blurb="What the model goes by, in words.",
        blocks=(_groups(story, effect), _people(story)),
    )


def action_section(story: Story, what: str, own: str, *blocks: Block) -> Section:
    """What to do; without a promotion no plan, but what the model's own one (`own`) earned."""
    name, blurb = "What it would earn", f"No plan: what its own {own} earned on the test customers."
    if story.verdict == "PROMOTE":
        name, blurb = "What to do", what
    return Section(anchor="action", name=name, blurb=blurb, blocks=blocks)


def strongest_caution(story: Story) -> Caution | None:
    """What outweighs whatever a task has to say: a suspect among the columns; that a rejected model makes no plan."""
    suspects = story.summaries["split"]["suspects"]
    if suspects:
        more = f" ({len(suspects) - 1} more in the log of the split)" if len(suspects) > 1 else ""
        return Caution(text=f"A suspect is among the columns: {suspects[0]}{more}", strong=suspects[0])
    if story.verdict == "REJECT":
        return Caution(text="Nothing below is a plan: it is shown so that the verdict can be checked.")
    return None


def deep_words(story: Story) -> str:
    """Whether the deep network beats the best traditional family, in a sentence."""
    deep = story.evaluation["deep_minus_traditional"]
    rival = {"linear": "the linear model", "boosted": "boosted trees"}[deep["traditional"]]
    if deep["low"] > 0:
        return f"The deep network ranks better than {rival}"
    if deep["high"] < 0:
        return f"The deep network ranks worse than {rival}"
    return "Deep or traditional makes no measurable difference"


def training_figure(story: Story) -> Figure:
    curve, kept = story.curve, int(story.summaries["train"]["best_epoch"])
    helped = kept == int(curve[-1]["epoch"])
    x = [int(row["epoch"]) for row in curve]
    curves = [
        Curve(name="validation", x=x, y=[row["val_loss"] for row in curve], tone="orange",
              flag=Flag(at=kept, says=(f"kept: pass {kept}",))),
        Curve(name="training", x=x, y=[row["train_loss"] for row in curve], tone="grey"),
    ]  # fmt: skip
    return Figure(
        finding="The last pass of training still helped" if helped else "Training stopped when it no longer helped",
        described="Log loss of the deep network; lower is better.",
        drawing=Drawing(
            wide=training(
                curves, n.decimal, label=f"Log loss by pass; kept pass {kept}", axis="Pass over the training data"
            )
        ),
    )


def families_table(story: Story, columns: Sequence[tuple[str, str, n.Format]], finding: str) -> Table:
    """All families on the same test rows; `columns` has a metric's key, its name and its form, the primary first."""
    found: Mapping[str, Any] = story.evaluation["families"]
    candidate = story.evaluation["candidate"]["family"]
    deep = story.evaluation["deep_minus_traditional"]
    rows = story.evaluation["rows"]["test"]
    difference = n.estimate(interval(deep), n.difference)
    return Table(
        finding=finding,
        described=f"Test set, {n.count(rows)} customers. Deep − {FAMILY_NAMES[deep['traditional']].lower()}: "
        f"{difference} {METRIC_NAMES[deep['metric']]}.",
        grid=Grid(
            columns=(Column(name="Family"), *(Column(name=name, right=True) for _, name, _ in columns)),
            rows=tuple(
                TableRow(
                    cells=(
                        FAMILY_NAMES[family] + (" (chosen)" if family == candidate else ""),
                        *(_cell(parts["test"][key], show) for key, _, show in columns),
                    ),
                    chosen=family == candidate,
                )
                for family, parts in sorted(found.items(), key=lambda item: list(FAMILY_NAMES).index(item[0]))
            ),
        ),
    )


def _cell(value: Mapping[str, float], show: n.Format) -> Estimate:
    found = interval(value)
    return Estimate(value=show(found.value), interval=n.bracket(found, show))


def _groups(story: Story, effect: str) -> Reasons:
    """The strongest groups, at most two a column, as changes of the log odds."""
    taken: list[Mapping[str, Any]] = []
    for group in story.summaries["explain"]["groups"]:
        if sum(other["column"] == group["column"] for other in taken) < 2 and len(taken) < _GROUPS:
            taken.append(group)
    width = max((abs(group["effect"]) for group in taken), default=1.0)
    most = story.summaries["explain"]["importance"]
    finding = f"{capital(most[0]['label'])} and {most[1]['label']} matter most" if len(most) > 1 else "What matters"
    error, spread = (story.summaries["explain"][key] for key in ("completeness_error", "spread"))
    exact = (
        "Parts are exact."
        if error == 0
        else f"Parts add up to the score but for {error:.2f} of {spread:.2f} on average."
    )
    return Reasons(
        finding=finding,
        described=f"Average change in {effect} (log odds) against the average customer. Blue raises, orange lowers.",
        unit="Log odds",
        reasons=tuple(
            Reason(
                when=capital(group["words"]),
                rather="",
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
        people.append(Person(row=str(row["row"]), score=row["score"], reasons=capital(raises), but=lowers))
    which = "the record in the file" if story.contract.columns else "who"
    listed = "Each customer on the list comes with reasons"
    return People(
        finding=listed if story.verdict == "PROMOTE" else "Each score comes with reasons",
        described=f"{len(people)} of the test customers: {which}, the score, what moved it most.",
        people=tuple(people),
    )
