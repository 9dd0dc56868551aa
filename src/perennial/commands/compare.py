"""`perennial compare NAME --with CHECKOUT`: compare this checkout's candidate with another's on this one's test rows."""

from __future__ import annotations

import argparse
from pathlib import Path

from perennial.files.durable import write_text
from perennial.files.project import Project
from perennial.promotion.compare import compare


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--with", dest="other", type=Path, required=True, help="another checkout, with its outputs")
    parser.add_argument("--output", type=Path, help="write the markdown here instead of printing it")


def main(args: argparse.Namespace) -> int:
    text = compare(Project.here(), Project(root=args.other.resolve()), args.name)
    if args.output:
        write_text(args.output, text)
    else:
        print(text)  # noqa: T201 - the answer
    return 0
