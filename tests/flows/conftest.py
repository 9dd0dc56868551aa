"""One small project, run end to end by `perennial run` once; the tests look at what it left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from perennial.pipeline import graph
from perennial.tracking import servers as server
from tests.conftest import NAME, REPO, Toy, make

BIN = Path(sys.executable).parent
EXTRA = """
stages:
  extra:
    foreach: ${use_cases}
    do:
      wdir: ../..
      cmd: python -c "import shutil; shutil.copy('outputs/${key}/explain/summary.json', 'outputs/${key}/extra.json')"
      deps: ["outputs/${key}/explain"]
      outs: ["outputs/${key}/extra.json"]
vars: [../../params.yaml]
"""


@dataclass(frozen=True, kw_only=True)
class Done:
    """The first run of the project: its exit code and what it printed."""

    toy: Toy
    code: int
    text: str

    @property
    def flow(self) -> str:
        """The id of the flow run, as it was printed with its address."""
        return self.text.partition("/runs/flow-run/")[2].split()[0]

    def api(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        """What the project's own Prefect server answers."""
        port = json.loads((self.toy.root / ".perennial" / "server.json").read_text())["port"]
        token = _csrf(port)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api{path}",
            data=json.dumps(body or {}).encode() if method == "POST" else None,
            headers={"Content-Type": "application/json", **token},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())


def _csrf(port: int) -> dict[str, str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/csrf-token?client=test", timeout=30) as answer:
        return {"Prefect-Csrf-Token": json.loads(answer.read())["token"], "Prefect-Csrf-Client": "test"}


def perennial(toy: Toy, *words: str, timeout: float = 400) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does."""
    return subprocess.run(
        [str(BIN / "perennial"), *words],
        cwd=toy.root,
        text=True,
        capture_output=True,
        check=False,
        timeout=timeout,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
    )


def small_project(root: Path) -> Toy:
    """2,000 customers under git and DVC, a quick training, a minimum that a small sample can clear, a stage of one's own."""
    toy = make(root, 2_000)
    toy.edit_contract("minimum: 0.70", "minimum: 0.5")
    params = yaml.safe_load((root / "params.yaml").read_text())
    block = params["use_cases"][NAME]
    block["train"] |= {"epochs": 3}
    block["baseline"] |= {"trials": 1, "rounds": 60}
    block["evaluate"] |= {"bootstrap": 100}
    block["explain"] |= {"rows": 40}
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    for folder in ("src", "flows"):
        shutil.copytree(REPO / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for file in ("requirements.lock", ".gitignore", ".dvcignore"):
        shutil.copy(REPO / file, root)
    graph.write(root)
    (root / "stages" / "extra").mkdir(parents=True)
    (root / "stages" / "extra" / "dvc.yaml").write_text(EXTRA)
    shutil.rmtree(toy.project.raw(NAME))
    toy.git("init", "--quiet", "--initial-branch=main")
    assert toy.dvc("init", "--quiet").returncode == 0
    (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n    autostage = false\n")
    toy.git("add", "--all")
    toy.commit("all")
    return toy


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    toy = small_project(tmp_path_factory.mktemp("flow") / "project")
    ran = perennial(toy, "run", NAME)
    yield Done(toy=toy, code=ran.returncode, text=ran.stdout + ran.stderr)
    server.stop_server(toy.project)
