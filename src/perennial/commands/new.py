"""`perennial new NAME --data FILE`: propose a contract for a file of your own, and ask what only a person can know."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from perennial.discovery.draft import Answers
from perennial.discovery.terminal import Terminal
from perennial.files.project import Project
from perennial.sources.new_use_case import create_use_case


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="name of the new use case")
    parser.add_argument("--data", type=Path, required=True, help="a file, or a folder of files with the same columns")
    parser.add_argument("--target", help="the column to predict")
    parser.add_argument("--positive", help="which of its two values to predict")
    parser.add_argument("--known", default="", metavar="COLUMN,…", help="suspects that are known before you decide")
    parser.add_argument("--dates", choices=("day", "month"), help="which comes first in dates that read both ways")
    parser.add_argument("--treatment", help="the column that says who was treated; none if nobody was")
    parser.add_argument("--cost", type=float, help="what a contact costs")
    parser.add_argument("--value", type=float, help="what a response earns")
    parser.add_argument("--yes", action="store_true", help="ask nothing, take the careful answers")


def main(args: argparse.Namespace) -> int:
    answers = Answers(
        target=args.target,
        event=args.positive,
        known=tuple(name for name in args.known.split(",") if name),
        first=args.dates,
        treatment="" if args.treatment == "none" else args.treatment,
        cost=args.cost,
        earns=args.value,
    )
    person = Terminal() if not args.yes and sys.stdin.isatty() else None
    create_use_case(Project.here(), args.name, args.data, answers, person)
    return 0
