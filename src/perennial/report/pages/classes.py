"""A story of a multiclass task in, its words and charts out: what is told apart, what is confused, when to ask a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perennial.report.charts import numbers as n
from perennial.report.charts.curves import Curve, Flag, by_depth
from perennial.report.context import METRIC_NAMES, Story
from perennial.report.page import Block, Caution, Figure, KeyFigure, Pair, Section
from perennial.report.pages import mistakes
from perennial.report.pages.shared import (
    both_ways,
    difference_figure,
    families_table,
    go_on,
    groups_figure,
    model_headline,
    reasons_section,
    strongest_caution,
    training_figure,
)
from perennial.report.task_sections import Told

_SURE = 0.95  # the accuracy at which a machine may answer alone


def told(story: Story) -> Told:
    """Everything between the label line and the section on rows."""
    return Told(
        verdict=story.verdict,
        headline=_headline(story),
        what_to_do=_what_to_do(story),
        caution=strongest_caution(story) or _caution(story),
        picture=difference_figure(story, "test rows"),
        key_figures=_key_figures(story),
        why=(),
        sections=(
            Section(
                anchor="action",
                name="What it tells apart",
                blurb="Which classes are taken for which.",
                blocks=mistakes.blocks(story, story.evaluation["classes"]),
            ),
            reasons_section(story, effect="the log share of the likeliest class"),
            _trust(story),
        ),
    )


def _headline(story: Story) -> str:
    return model_headline(
        story,
        better="tells classes apart better",
        first="tells classes apart better than agreed",
        poor="this model does not tell classes apart as well as agreed",
    )


def _what_to_do(story: Story) -> str:
    if story.verdict == "HOLD":
        return go_on(story)
    if story.verdict == "REJECT":
        return f"Decide as you do today{', by the model in use' if story.decision.get('champion') else ''}."
    share = _answered(story)
    if share >= 1:
        return f"Take its word for every row: {n.share(story.figure('accuracy').value)} are right."
    if share <= 0:
        return f"Let a person check: no share of rows is right in {n.share(_SURE)} of cases."
    return (
        f"Take its word for the surest {n.share(share)}, right in {n.share(_SURE)} of cases; let a person see the rest."
    )


def _answered(story: Story) -> float:
    """The largest share of rows, surest first, whose accuracy is at least _SURE."""
    found = story.evaluation["coverage"]
    enough = [x for x, y in zip(found["x"], found["value"], strict=True) if y >= _SURE and x > 0]
    return float(max(enough, default=0.0))


def _caution(story: Story) -> Caution:
    weakest = min(_classes(story), key=lambda item: float(item[1]["f1"]))
    strong = f"weakest for {weakest[0]}"
    return Caution(text=f"It is {strong}: F1 {n.decimal(weakest[1]['f1'], 2)}.", strong=strong)


def _key_figures(story: Story) -> tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]:
    accuracy, f1 = (story.figure(name) for name in ("accuracy", "macro_f1"))
    largest = max(_classes(story), key=lambda item: int(item[1]["n"]))
    total = story.evaluation["rows"]["test"]
    return (
        KeyFigure(name="Right on the test rows", value=n.share(accuracy.value), note=n.between(accuracy, n.share)),
        KeyFigure(
            name="Always the largest class",
            value=n.share(largest[1]["n"] / total),
            note=f"what {largest[0]} for all gives",
        ),
        KeyFigure(name="Mean F1 of the classes", value=n.decimal(f1.value, 2), note=n.between(f1, n.decimal)),
        KeyFigure(name="Answered alone", value=n.share(_answered(story)), note=f"of rows, at {n.share(_SURE)} right"),
    )


def _trust(story: Story) -> Section:
    keys = (
        story.evaluation["primary"],
        *(k for k in ("log_loss", "accuracy", "macro_f1") if k != story.evaluation["primary"]),
    )
    if "kappa" in next(iter(story.evaluation["families"].values()))["test"]:
        keys = (*keys, "kappa")
    names = [(key, METRIC_NAMES[key], n.decimal) for key in keys]
    found = story.evaluation["coverage"]
    answered = _answered(story)
    curve = Curve(
        name="Accuracy",
        x=found["x"],
        y=found["value"],
        low=found["low"],
        high=found["high"],
        ends=n.share(found["value"][-1]),
        flag=Flag(at=answered, says=(f"{n.share(answered)} of rows", f"at {n.share(_SURE)}")) if answered > 0 else None,
    )
    finding = (
        f"The surest {n.share(answered)} of rows are right in {n.share(_SURE)} of cases"
        if answered
        else "Surer is not righter"
    )
    coverage = Figure(
        finding=finding,
        described="Accuracy among the surest share of test rows, 95\u202f% band.",
        drawing=by_depth(
            [curve], n.share_axis, label=finding, axis="Share of rows answered, surest first", random=None, span=(0, 1)
        ),
    )
    blocks: list[Block] = [
        families_table(story, names, "Families on the same rows: the simplest of the best was taken"),
        coverage,
        *both_ways(story),
    ]
    groups = groups_figure(story, "accuracy", "Accuracy")
    blocks.append(Pair(figures=(groups, training_figure(story))) if groups else training_figure(story))
    return Section(
        anchor="evidence",
        name="Can it be trusted",
        blurb="For data scientists. All on test rows, each used once.",
        blocks=tuple(blocks),
    )


def _classes(story: Story) -> list[tuple[str, Mapping[str, Any]]]:
    return list(zip(story.evaluation["classes"], story.evaluation["per_class"], strict=True))
