"""Rename fields of results in a scratch copy and let mypy find every reader: `make check-types-break`.

A renamed field must break the types, not a customer's page. One cold run of mypy, so it is no part of `make test`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).parents[1]
FIELDS = (  # a module in results/ and a field of its models, each of which other rooms read
    ("evaluation", "deep_minus_traditional"),
    ("decision", "verdict"),
    ("summary", "rows_in"),
    ("receipt", "model_version"),
    ("campaign", "shares"),
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(REPO / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(REPO / "flows", copy / "flows", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(REPO / "pyproject.toml", copy)
        for module, field in FIELDS:
            path = copy / "src" / "perennial" / "results" / f"{module}.py"
            text, renamed = re.subn(rf"^    {field}:", f"    {field}_renamed:", path.read_text(), flags=re.MULTILINE)
            assert renamed, f"results/{module}.py has no field {field}"
            path.write_text(text)
        done = subprocess.run([sys.executable, "-m", "mypy"], cwd=copy, text=True, capture_output=True, check=False)
    unseen = []
    for _, field in FIELDS:
        errors = [line for line in done.stdout.splitlines() if f'"{field}"' in line and "/results/" not in line]
        print(f"{field}: {len(errors)} readers found, such as {errors[0].split(': error')[0] if errors else 'none'}")
        unseen += [] if errors else [field]
    print(done.stdout.splitlines()[-1])
    return 1 if unseen or done.returncode != 1 else 0


if __name__ == "__main__":
    raise SystemExit(main())
