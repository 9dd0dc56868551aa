"""Schedules: two deployments on cron lines; training fetches and retrains, scoring scores what came in."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(prog="python flows/serve.py")
    parser.add_argument("name")
    parser.add_argument("--train", required=True)
    parser.add_argument("--score", required=True)
    parser.add_argument("--timezone", required=True)
    args = parser.parse_args()
    # entry points are stored relative to the current folder, and each run starts there
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))

    from prefect import serve
    from prefect.schedules import Cron

    from flows.scoring import scoring
    from flows.training import training

    nightly = training.to_deployment(
        f"{args.name}-training",
        parameters={"name": args.name, "refresh": True},
        concurrency_limit=1,
        schedules=[Cron(args.train, timezone=args.timezone)],
    )
    daily = scoring.to_deployment(
        f"{args.name}-scoring",
        parameters={"name": args.name},
        concurrency_limit=1,
        schedules=[Cron(args.score, timezone=args.timezone)],
    )
    serve(nightly, daily, limit=1)


if __name__ == "__main__":
    main()
