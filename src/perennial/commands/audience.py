"""`perennial audience NAME --input FILE --campaign ID`: the list for a CRM or ad platform, with a control group."""

from __future__ import annotations

import argparse
from pathlib import Path

from perennial.campaigns.audience import build_audience
from perennial.campaigns.plan import DEFAULT_CONTROL, read_audience_options
from perennial.config.audience import AudienceParams
from perennial.files.project import Project


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--input", type=Path, required=True, help="a file, or a folder with a file for each table")
    parser.add_argument("--campaign", metavar="ID", required=True, help="a name for this campaign, such as spring_2026")
    parser.add_argument("--suppress", type=Path, help="a file with the ids of opt-outs and of recent contacts")
    parser.add_argument("--output", type=Path, help="the list to write, .csv or .parquet; by default in the record")
    parser.add_argument("--columns", type=_split, help="of the list: a,b; by default the id and hashed contacts")
    parser.add_argument("--control", type=float, help=f"share in the control group; by default {DEFAULT_CONTROL:g}, 0: nobody")
    parser.add_argument("--min-control", type=int, help="customers in the control group where the share gives fewer")
    parser.add_argument("--explore", type=float, help="share of those below the cut to draw in too; by default 0")
    parser.add_argument("--messages", type=_split, help="two or more to randomise among those contacted: a,b")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    overrides = {key: value for key in AudienceParams.model_fields if (value := getattr(args, key)) is not None}
    options = read_audience_options(project, args.name, overrides)
    build_audience(project, args.name, args.campaign, args.input, options, suppress=args.suppress, output=args.output)
    return 0


def _split(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
