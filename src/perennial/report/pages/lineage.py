"""Lineage section: decisions so far, what the model was made from, and how to reproduce it."""

from __future__ import annotations

from datetime import date
from functools import partial

from perennial.charts.flows import TimelineEntry, plot_timeline
from perennial.report.context import FAMILY_NAMES, AnyReport
from perennial.report.exhibits import Code, Facts
from perennial.report.page import Figure, Grid, GridColumn, PageBlock, Section


def build_lineage_section(report: AnyReport) -> Section:
    blocks: list[PageBlock] = [_draw_decisions(report)] if report.history else []
    return Section(
        anchor="lineage",
        name="Where it comes from",
        blurb="For engineers. How to reproduce it.",
        blocks=(*blocks, _build_facts(report), _build_command(report)),
    )


def _draw_decisions(report: AnyReport) -> Figure:
    decisions = [
        TimelineEntry(
            version=f"v{record.version}",
            on=date.fromisoformat(record.at[:10]),
            verdict="PROMOTE" if record.verdict == "ROLLBACK" else record.verdict,
        )
        for record in report.history
    ]
    promoted = sum(decision.verdict == "PROMOTE" for decision in decisions)
    rows = [(str(r.number), r.at, r.verdict, str(r.version), "; ".join(r.reasons)) for r in report.history]
    columns = tuple(GridColumn(name=name) for name in ("No.", "When (UTC)", "Verdict", "Version", "Why"))
    return Figure.of(
        f"{len(decisions)} decision{'' if len(decisions) == 1 else 's'}, {promoted} promoted",
        "Each record holds the digest of the one before it.",
        partial(plot_timeline, decisions, date.fromisoformat(report.at[:10])),
        fold=("All decisions with their reasons", Grid.of(columns, rows)),
    )


def _build_facts(report: AnyReport) -> Facts:
    lineage, family = report.lineage, FAMILY_NAMES[report.evaluation.candidate.family].lower()
    versions = {key.removeprefix("version."): value for key, value in lineage.items() if key.startswith("version.")}
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    return Facts(
        finding="What this model was made from",
        facts=(
            ("Model", f"{report.name}, version {report.version}, {family}"),
            ("Bundle", report.decision.digest),
            ("Commit", lineage["commit"][:12] + (" with changes" if lineage["changed"] == "true" else "")),
            ("Raw data", lineage["raw"]),
            ("Code, params, contract", lineage["code"][:32]),
            ("Made with", f"Python {lineage['python']}, {packages}, {lineage['cpu']}"),
        ),
        mono=frozenset({"Bundle", "Commit", "Raw data", "Code, params, contract"}),
    )


def _build_command(report: AnyReport) -> Code:
    promise = "At this commit, with the same raw data, every stage is restored or gives the same bytes."
    if report.lineage["changed"] == "true":
        promise = "Close to it: code, params or contracts had changes that are in no commit, so bytes may differ."
    data, pulled = f"perennial fetch {report.name}", "Stages are restored by dvc pull"
    if report.contract.source.kind == "file":
        data, pulled = "dvc pull", "Raw data comes by dvc pull"
    return Code(
        finding="Get here again",
        described=f"{promise} {pulled}, from a remote that was pushed to.",
        text=f"git checkout {report.lineage['commit'][:12]}\n{data}\nperennial run {report.name}",
    )
