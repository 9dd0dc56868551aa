"""A story in, the section on its origin out: decisions so far, what it was made from, how to get here again."""

from __future__ import annotations

from datetime import date

from perennial.report.charts.flows import Decision, timeline
from perennial.report.context import FAMILY_NAMES, Story
from perennial.report.page import Block, Code, Column, Fact, Facts, Figure, Fold, Grid, Section, TableRow


def lineage_section(story: Story) -> Section:
    blocks: list[Block] = [_versions(story)] if story.history else []
    return Section(
        anchor="lineage",
        name="Where it comes from",
        blurb="For engineers. How to get here again.",
        blocks=(*blocks, _facts(story), _command(story)),
    )


def _versions(story: Story) -> Figure:
    decisions = [
        Decision(
            version=f"v{record['version']}", on=date.fromisoformat(record["at"][:10]),
            verdict="PROMOTE" if record["verdict"] == "ROLLBACK" else record["verdict"],
        )
        for record in story.history
    ]  # fmt: skip
    promoted = sum(decision.verdict == "PROMOTE" for decision in decisions)
    finding = f"{_many(len(decisions), 'decision')}, {promoted} promoted"
    rows = tuple(
        TableRow(cells=(str(r["number"]), r["at"], r["verdict"], str(r["version"]), "; ".join(r["reasons"])))
        for r in story.history
    )
    names = ("No.", "When (UTC)", "Verdict", "Version", "Why")
    return Figure(
        finding=finding,
        described="Each record holds the digest of the one before it.",
        drawing=timeline(decisions, date.fromisoformat(story.at[:10]), label=finding),
        fold=Fold(summary="All decisions with their reasons", grid=Grid(columns=tuple(map(_column, names)), rows=rows)),
    )


def _facts(story: Story) -> Facts:
    told = story.lineage
    packages = ", ".join(
        f"{key.removeprefix('version.')} {value}" for key, value in told.items() if key.startswith("version.")
    )
    commit = told["commit"][:12] + (" with changes" if told["changed"] == "true" else "")
    family = FAMILY_NAMES[story.evaluation["candidate"]["family"]].lower()
    return Facts(
        finding="What this model was made from",
        facts=(
            Fact(name="Model", value=f"{story.name}, version {story.version}, {family}"),
            Fact(name="Bundle", value=str(story.decision["digest"]), mono=True),
            Fact(name="Commit", value=commit, mono=True),
            Fact(name="Raw data", value=told["raw"], mono=True),
            Fact(name="Code, params, contract", value=told["code"][:32], mono=True),
            Fact(name="Made with", value=f"Python {told['python']}, {packages}, {told['cpu']}"),
        ),
    )


def _command(story: Story) -> Code:
    told = "At this commit, with the same raw data, every stage is restored or gives the same bytes."
    if story.lineage["changed"] == "true":
        told = "Close to it: code, params or contracts had changes that are in no commit, so bytes may differ."
    if story.contract.source.kind == "file":
        data, pulled = "dvc pull", "Raw data comes by dvc pull"
    else:
        data, pulled = f"perennial fetch {story.name}", "Stages are restored by dvc pull"
    return Code(
        finding="Get here again",
        described=f"{told} {pulled}, from a remote that was pushed to.",
        text=f"git checkout {story.lineage['commit'][:12]}\n{data}\nperennial run {story.name}",
    )


def _column(name: str) -> Column:
    return Column(name=name)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
