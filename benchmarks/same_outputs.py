"""Compare the outputs of a use case in two checkouts: tables, weights, scores and figures must be equal bit for bit.

`python benchmarks/same_outputs.py BEFORE AFTER NAME`: two project folders in which `perennial run NAME` has ended, each by
its own version of the package. Keys of JSON may have been renamed in between; numbers may not have changed.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import polars as pl


def compare_files(before: Path, after: Path, pattern: str) -> Counter[str]:
    """Which files of a pattern are the same bytes, equal as tables, different, or only on one side."""
    counts: Counter[str] = Counter()
    paths = {p.relative_to(root) for root in (before, after) for p in root.rglob(pattern)}
    for path in sorted(paths):
        old, new = before / path, after / path
        if not (old.exists() and new.exists()):
            state = "on one side"
        elif old.read_bytes() == new.read_bytes():
            state = "same bytes"
        else:
            equal = path.suffix == ".parquet" and pl.read_parquet(old).equals(pl.read_parquet(new))
            state = "equal as tables" if equal else "DIFFERENT"
        if state in {"DIFFERENT", "on one side"}:
            print(f"  {state}: {path}")
        counts[state] += 1
    return counts


def read_figures(project: Path, name: str) -> dict[str, list[float]]:
    """Test figures of every family by metric: value and both ends."""
    families = json.loads((project / "outputs" / name / "evaluate" / "summary.json").read_text())["families"]
    return {
        f"{family} {metric}": [interval[end] for end in ("value", "low", "high")]
        for family, figures in families.items()
        for metric, interval in figures["test"].items()
        if isinstance(interval, dict)
    }


def main(before: Path, after: Path, name: str) -> int:
    ok = True
    for pattern in ("*.parquet", "*.safetensors", "trees-*.txt"):
        counts = compare_files(before / "outputs" / name, after / "outputs" / name, pattern)
        print(f"{name} {pattern}: " + ", ".join(f"{n} {state}" for state, n in counts.items()))
        ok &= not counts["DIFFERENT"]
    old, new = read_figures(before, name), read_figures(after, name)
    same = [key for key in old if new.get(key) == old[key]]
    print(f"{name} figures: {len(same)} of {len(old)} equal, {len(new.keys() - old.keys())} new")
    ok &= len(same) == len(old)
    scores = [project / ".perennial" / name / "scores.csv" for project in (before, after)]
    if all(path.exists() for path in scores):
        equal = scores[0].read_bytes() == scores[1].read_bytes()
        print(f"{name} scores.csv: {'same bytes' if equal else 'DIFFERENT'}")
        ok &= equal
    return 0 if ok else 1


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
