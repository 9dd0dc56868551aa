"""`perennial run NAME`: the main job. Answers from the receipt when there is nothing to do, else starts the flow."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from perennial.files.project import Project
from perennial.promotion.main_job import check, nothing_to_do, say, start_flow
from perennial.promotion.receipt import current_receipt
from perennial.results.receipt import Receipt, ScoredList
from perennial.studies import trial_runs as side

_STOPPED = {130, 143}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    side.flags(parser)


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    check(project, args.name)
    if (asked := side.asked(args)) is not None:
        kind, sides = asked
        side.show(args.name, kind, side.run(project, args.name, kind, sides))
        return 0
    receipt = nothing_to_do(project, args.name)
    if receipt is not None:
        say(f"Nothing to do: 0 stages ran, every output of {args.name} is up to date.")
        _say_results(args.name, receipt)
        return 3 if receipt.results.promote and receipt.results.promote.verdict == "REJECT" else 0
    code = start_flow(project, args.name)
    if code in _STOPPED:
        sys.stderr.write(f"perennial: stopped; perennial run {args.name} goes on where it was\n")
    receipt = current_receipt(project, args.name) if code in {0, 3} else None
    if receipt is not None:
        ran = sum(outcome == "Ran" for outcome in receipt.stages.values())
        cached = len(receipt.stages) - ran
        ran_words = "1 stage" if ran == 1 else f"{ran} stages"
        say(f"{ran_words} ran, {cached} {'was' if cached == 1 else 'were'} up to date or cached.")
        _say_results(args.name, receipt)
    return code


def _say_results(name: str, receipt: Receipt) -> None:
    page, scored = receipt.results.report, receipt.results.score
    assert page is not None, "a current receipt has a report"
    say(f"\n{page.verdict}: {page.headline}")
    say(f"In use: version {page.in_use}" if page.in_use else "In use: no model")
    if isinstance(scored, ScoredList):
        count = f"{scored.scored:,}"
        say(
            f"List: {scored.output}, "
            + (f"{count} scored" if scored.chosen is None else f"{scored.chosen:,} of {count} to {scored.to}")
        )
    say(f"Report: {page.path}\n")
    steps = {
        f"perennial open {name}": "look at the report",
        f"perennial show {name}": "the figures as words",
        "make ui": "MLflow and Prefect",
    }
    if (activate := _activate()) is not None:
        steps = {f". {activate}": "once in each shell: perennial and dvc by name", **steps}
    width = max(map(len, steps)) + 4
    say("Next:\n" + "\n".join(f"  {command.ljust(width)}{purpose}" for command, purpose in steps.items()))


def _activate() -> str | None:
    """The script that puts the environment's programs on PATH, where they are not."""
    folder = Path(sys.executable).parent
    if str(folder) in os.environ.get("PATH", "").split(os.pathsep) or not (folder / "activate").exists():
        return None
    script, here = folder / "activate", Path.cwd()
    return str(script.relative_to(here) if script.is_relative_to(here) else script)
