"""A report in, the section on its origin out: decisions so far, what it was made from, how to get here again."""

from __future__ import annotations

from datetime import date

from perennial.report.charts.flows import TimelineEntry, timeline
from perennial.report.context import FAMILY_NAMES, AnyReport
from perennial.report.page import Block, Code, Column, Fact, Facts, Figure, Fold, Grid, Section, TableRow


def lineage_section(report: AnyReport) -> Section:
    blocks: list[Block] = [_versions(report)] if report.history else []
    return Section(
        anchor="lineage",
        name="Where it comes from",
        blurb="For engineers. How to get here again.",
        blocks=(*blocks, _facts(report), _command(report)),
    )


def _versions(report: AnyReport) -> Figure:
    decisions = [
        TimelineEntry(
            version=f"v{record.version}", on=date.fromisoformat(record.at[:10]),
            verdict="PROMOTE" if record.verdict == "ROLLBACK" else record.verdict,
        )
        for record in report.history
    ]  # fmt: skip
    promoted = sum(decision.verdict == "PROMOTE" for decision in decisions)
    finding = f"{_many(len(decisions), 'decision')}, {promoted} promoted"
    rows = tuple(
        TableRow(cells=(str(r.number), r.at, r.verdict, str(r.version), "; ".join(r.reasons))) for r in report.history
    )
    names = ("No.", "When (UTC)", "Verdict", "Version", "Why")
    return Figure(
        finding=finding,
        described="Each record holds the digest of the one before it.",
        drawing=timeline(decisions, date.fromisoformat(report.at[:10]), label=finding),
        fold=Fold(summary="All decisions with their reasons", grid=Grid(columns=tuple(map(_column, names)), rows=rows)),
    )


def _facts(report: AnyReport) -> Facts:
    facts = report.lineage
    packages = ", ".join(
        f"{key.removeprefix('version.')} {value}" for key, value in facts.items() if key.startswith("version.")
    )
    commit = facts["commit"][:12] + (" with changes" if facts["changed"] == "true" else "")
    family = FAMILY_NAMES[report.evaluation.candidate.family].lower()
    return Facts(
        finding="What this model was made from",
        facts=(
            Fact(name="Model", value=f"{report.name}, version {report.version}, {family}"),
            Fact(name="Bundle", value=report.decision.digest, mono=True),
            Fact(name="Commit", value=commit, mono=True),
            Fact(name="Raw data", value=facts["raw"], mono=True),
            Fact(name="Code, params, contract", value=facts["code"][:32], mono=True),
            Fact(name="Made with", value=f"Python {facts['python']}, {packages}, {facts['cpu']}"),
        ),
    )


def _command(report: AnyReport) -> Code:
    promise = "At this commit, with the same raw data, every stage is restored or gives the same bytes."
    if report.lineage["changed"] == "true":
        promise = "Close to it: code, params or contracts had changes that are in no commit, so bytes may differ."
    if report.contract.source.kind == "file":
        data, pulled = "dvc pull", "Raw data comes by dvc pull"
    else:
        data, pulled = f"perennial fetch {report.name}", "Stages are restored by dvc pull"
    return Code(
        finding="Get here again",
        described=f"{promise} {pulled}, from a remote that was pushed to.",
        text=f"git checkout {report.lineage['commit'][:12]}\n{data}\nperennial run {report.name}",
    )


def _column(name: str) -> Column:
    return Column(name=name)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
