"""Functions of a project's own: a feature, a rule, an encoder and a loss, named in YAML and used by the stages."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
import torch
import yaml

from perennial.errors import ConfigError, ContractError
from perennial.evaluation.statistics.metrics import measure
from perennial.files.extensions import EXTENSION_KINDS, ExtensionKind, extension_path, load_extension
from perennial.files.tables import read_table
from perennial.gallery.simulator.draws import Population
from perennial.gallery.simulator.simulate import write_incoming
from perennial.scoring.scorer import Scorer
from perennial.serving.preparation import prepare_rows
from perennial.studies.scratch_project import create_scratch_project
from perennial.studies.trial_runs import QUICK
from tests.conftest import REPO

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

FEATURES = """
import narwhals as nw

def late_visits(days: nw.Expr, inside: nw.Expr, *, before: int) -> nw.Expr:
    return nw.when(inside & (days > before)).then(1).otherwise(0).sum()

def born_late(*, year: int) -> nw.Expr:
    return (nw.col("birth_year") > year).cast(nw.Int64)

def tells(*, column: str) -> nw.Expr:
    return nw.col(column)
"""
RULES = """
import narwhals as nw

def not_born_in(*, year: int) -> nw.Expr:
    return nw.col("birth_year") != year
"""
MODELS = """
import torch
from torch import nn

class Squares(nn.Module):
    def __init__(self, n_columns: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((n_columns, 2), scale))
        self.d_out = 2

    def forward(self, x_BF):
        return torch.stack([x_BF, x_BF**2], dim=-1) * self.weight

def squares(n_columns: int, *, scale: float) -> nn.Module:
    return Squares(n_columns, scale)

def no_module(n_columns: int) -> int:
    return n_columns

def hinge(raw_BKR, y_B, arm_B, *, margin: float):
    return torch.relu(margin - (2 * y_B - 1)[:, None] * raw_BKR[:, :, 0]).mean(dim=1)
"""


@pytest.fixture
def own(prepared_toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """A project with functions of its own; the current folder, as a stage's is."""
    toy = type(prepared_toy)(root=tmp_path / "project")
    shutil.copytree(prepared_toy.root, toy.root)
    folder = toy.root / "src" / "extensions"
    folder.mkdir(parents=True)
    own_days = (REPO / extension_path("features")).read_text().partition("import narwhals as nw")[2]
    (folder / "features.py").write_text(FEATURES + own_days)
    (folder / "rules.py").write_text(RULES)
    (folder / "models.py").write_text(MODELS)
    monkeypatch.chdir(toy.root)
    return toy


def edit(toy: Toy, change: object) -> None:
    path = toy.project.contract(toy.name)
    document = yaml.safe_load(path.read_text())
    change(document)  # type: ignore[operator]
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def test_features_of_events_and_of_rows_are_columns_like_any_other(own: Toy, tmp_path: Path) -> None:
    def change(document: dict) -> None:
        visits = {"from": "events", "where": {"kind": "visit"}}
        document["unit"]["features"] |= {
            "late": {"kind": "custom", "name": "late_visits", "settings": {"before": 90}, **visits},
            "young": {"kind": "custom_row", "name": "born_late", "settings": {"year": 1990}},
            "visits": {"kind": "count", **visits},
        }

    edit(own, change)
    own.run("featurize")
    units = read_table(own.out("featurize", "units.parquet"))
    assert (units["late"] == units["visits"] - units["visits_90d"]).all()
    assert (units["young"] == (units["birth_year"] > 1990)).all()
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    write_incoming(incoming, Population(seed=1, first=0, n=2_000, month=0, concept=0))
    scored = prepare_rows(own.contract, incoming).units
    assert (scored["late"] == scored["visits"] - scored["visits_90d"]).all(), "the list is made as the model was"


def test_the_default_use_case_has_one_that_equals_ours(prepared_toy: Toy) -> None:
    assert prepared_toy.contract.unit.features["last_visit"].kind == "custom"
    twin = prepared_toy.contract.unit.features["last_purchase"]
    assert twin.kind == "recency"
    units = read_table(prepared_toy.out("featurize", "units.parquet"))
    assert units["last_visit"].null_count() < units.height
    assert units["last_visit"].min() >= 1


def test_a_function_over_a_row_sees_nothing_that_is_known_after(own: Toy) -> None:
    for column in ("responded", "message", "spend_14d"):
        describe = {"kind": "custom_row", "name": "tells", "settings": {"column": column}}
        edit(own, lambda document, feature=describe: document["unit"]["features"].update({"x": feature}))
        with pytest.raises(
            ConfigError, match=rf"unit.features.x: the function tells reads a column that it cannot see.*{column}"
        ):
            own.run("featurize")


def test_a_rule_sets_rows_aside_by_its_name_and_the_audit_agrees(own: Toy) -> None:
    born = read_table(own.out("featurize", "units.parquet"))["birth_year"].mode()[0]
    edit(own, lambda document: document["rules"].append({"kind": "custom", "name": "not_born_in", "settings": {"year": born}}))
    own.run("validate")
    gone = read_table(own.out("validate", "quarantine.parquet")).filter(pl.col("rule") == "custom:not_born_in")
    assert gone.height > 10
    assert gone["reason"].unique().to_list() == ["not born in does not hold"]
    assert own.summary("validate")["flow"]["main"]["to"]["quarantined"] >= gone.height


def test_an_encoder_and_a_loss_train_and_come_back_from_disk(own: Toy) -> None:
    own.edit("params.yaml", "epochs: 40", "epochs: 2")
    params = own.root / "params.yaml"
    document = yaml.safe_load(params.read_text())
    document["use_cases"][own.name]["train"] |= {
        "encoder": {"kind": "custom", "name": "squares", "settings": {"scale": 0.5}},
        "loss": {"kind": "custom", "name": "hinge", "settings": {"margin": 1.0}},
    }
    params.write_text(yaml.safe_dump(document, sort_keys=False))
    own.run("train")
    scorer = Scorer.load(own.out("train", "deep"))
    scorer.prove(own.out("train", "deep"))
    net = scorer.bundle.model.net  # type: ignore[union-attr]
    assert type(net.numeric).__name__ == "Squares"
    assert not torch.equal(net.numeric.weight, torch.full_like(net.numeric.weight, 0.5)), "it has learnt"


def test_what_is_missing_or_told_wrongly_is_named(own: Toy) -> None:
    with pytest.raises(ConfigError, match=r"src/extensions/rules\.py has no function 'gone'; it has: not_born_in"):
        load_extension("rules", "gone", {})
    with pytest.raises(ConfigError, match=r"takes no setting 'after'; it takes: before"):
        load_extension("features", "late_visits", {"after": 1})
    (own.root / extension_path("rules")).write_text("1 / 0")
    with pytest.raises(ConfigError, match=r"rules\.py fails when it is imported: ZeroDivisionError"):
        load_extension("rules", "not_born_in", {})
    (own.root / extension_path("rules")).unlink()
    with pytest.raises(ConfigError, match="a function of your own stands there"):
        load_extension("rules", "not_born_in", {})
    nowhere = {"kind": "custom", "name": "late_visits", "from": "nowhere"}
    edit(own, lambda document: document["unit"]["features"].update({"x": nowhere}))
    with pytest.raises(ContractError, match="no event table 'nowhere'"):
        _ = own.contract


def test_a_trial_run_has_them_in_its_scratch_project(own: Toy) -> None:
    scratch = create_scratch_project(own.project, own.name, own.root / "scratch", QUICK)
    assert len(EXTENSION_KINDS) == 3
    for kind in EXTENSION_KINDS:
        assert (scratch.root / extension_path(kind)).read_text() == (own.root / extension_path(kind)).read_text()


def test_the_files_of_this_project_are_there_and_stages_depend_on_them() -> None:
    stages = yaml.safe_load((REPO / "dvc.yaml").read_text())["stages"]
    assert len(EXTENSION_KINDS) == 3
    for kind in EXTENSION_KINDS:
        assert (REPO / extension_path(kind)).is_file()
        assert any(extension_path(kind) in stage["do"]["deps"] for stage in stages.values())


def test_the_encoder_of_the_how_to_learns_on_data_that_comes_with_scikit_learn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example as it stands in docs/how-to/extend.md, in a project that `perennial new` made."""
    from sklearn import datasets

    from perennial.discovery.draft import Answers
    from perennial.sources import fetch as fetching
    from perennial.sources.new_use_case import create_use_case
    from tests.conftest import LIGHT, Toy

    monkeypatch.setattr(fetching, "record_raw", lambda *_: None)
    root = tmp_path / "project"
    (root / "src" / "extensions").mkdir(parents=True)
    examples = re.findall(r"```python\n(.*?)```", (REPO / "docs" / "how-to" / "extend.md").read_text(), re.DOTALL)
    assert len(examples) == 3
    for kind, text in zip(EXTENSION_KINDS, (examples[0], examples[2], examples[1]), strict=True):
        (root / extension_path(kind)).write_text(text)
    (root / "params.yaml").write_text("use_cases:\n")
    for file in ("versions.yaml", "dvc.yaml"):
        shutil.copy(REPO / file, root)
    result = datasets.load_breast_cancer()
    path = tmp_path / "cells.csv"
    pl.DataFrame(result.data, schema=list(result.feature_names)).with_columns(target=pl.Series(result.target)).write_csv(path)
    toy = Toy(root=root, name="cells")
    create_use_case(toy.project, "cells", path, Answers())
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["use_cases"]["cells"]["train"] |= {
        "encoder": {"kind": "custom", "name": "steps", "settings": {"steps": 6}},
        "epochs": 10,
    }
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    monkeypatch.chdir(root)
    toy.run(*LIGHT, "train")
    units = read_table(toy.out("featurize", "units.parquet")).join(read_table(toy.out("split", "splits.parquet")), on="row_id")
    test = units.filter(pl.col("split") == "test")
    scorer = Scorer.load(toy.out("train", "deep"))
    assert type(scorer.bundle.model.net.numeric).__name__ == "Steps"  # type: ignore[union-attr]
    assert measure("auc", test["target"].to_numpy(), scorer.score(test)[:, 0]) > 0.97
    assert {name for kind in EXTENSION_KINDS for name in vars_of(kind)} >= {"late_visits", "at_most", "steps", "hinge"}


def vars_of(kind: ExtensionKind) -> list[str]:
    """The public functions of a file, as its error lists them."""
    with pytest.raises(ConfigError) as error:
        load_extension(kind, "nothing", {})
    return str(error.value).partition("it has: ")[2].split(", ")
