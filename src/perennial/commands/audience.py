"""`perennial audience NAME --input FILE --campaign ID`: rows in, the list that a CRM or ad platform takes out."""

from __future__ import annotations

import argparse
from pathlib import Path

from perennial.campaigns.audience import _CONTROL, asked, audience
from perennial.config.audience import AudienceParams
from perennial.files.project import Project


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--input", type=Path, required=True, help="a file, or a folder with a file for each table")
    parser.add_argument("--campaign", metavar="ID", required=True, help="what this campaign is called: spring_2026")
    parser.add_argument("--suppress", type=Path, help="a file with the ids of opt-outs and of those written to lately")
    parser.add_argument("--output", type=Path, help="the list to write, .csv or .parquet; by default in the record")
    parser.add_argument("--columns", type=_names, help="of the list: a,b; by default the id and hashed contacts")
    parser.add_argument("--control", type=float, help=f"share that is held back; by default {_CONTROL:g}, 0: nobody")
    parser.add_argument("--min-control", type=int, help="customers to hold back where the share gives fewer")
    parser.add_argument("--explore", type=float, help="share of those below the cut to draw in too; by default 0")
    parser.add_argument("--messages", type=_names, help="two or more to randomise among those contacted: a,b")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    flags = {key: getattr(args, key) for key in AudienceParams.model_fields}
    wishes = asked(project, args.name, {key: value for key, value in flags.items() if value is not None})
    audience(project, args.name, args.campaign, args.input, wishes, suppress=args.suppress, output=args.output)
    return 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
