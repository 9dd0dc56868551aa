"""The whole of it on the simulator, held against the truth: who is worth writing to, which message, and when to retrain.

Money is EUR; profits are expectations under the true probabilities, so that no luck of the draw is in them. Stages run
in this process; about 100 seconds on one quiet core.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from numpy.typing import NDArray

from perennial.data.names import ENTITY
from perennial.data.prepare.parts import LabelledRows, select_part
from perennial.evaluation.decisions import policy
from perennial.evaluation.decisions.profit import ContactPolicy, choose_threshold, select_best, select_contacts
from perennial.evaluation.statistics.metrics import measure
from perennial.files.durable import write_text
from perennial.files.tables import read_table
from perennial.gallery.simulator.draws import campaign_date
from perennial.gallery.simulator.simulate import write_population
from perennial.promotion.promote import promote
from perennial.promotion.register import register
from perennial.promotion.run_views import bundle_folder
from perennial.results.decision import DecisionRecord, RuleName
from perennial.results.families import Family
from perennial.scoring.scorer import Scorer
from tests.conftest import LIGHT, NAME, REPO, Toy, make
from tests.fakes.simulator import compute_truth

FAMILIES: tuple[Family, ...] = ("linear", "boosted", "deep", "blend")
pytestmark = [pytest.mark.e2e]

CUSTOMERS = 20_000
MONEY = ContactPolicy(value=40, cost=2, budget_share=0.4)
OFFER = policy.MessagePolicy(value=40, costs=(0, 2, 2), budget_share=0.4)
Z_99 = 2.5758293035489004


@dataclass(frozen=True, kw_only=True)
class Known:
    """A project that is evaluated, its rows by part, and what is true of the customers of its population."""

    toy: Toy
    parts: dict[str, LabelledRows]
    truth: dict[str, NDArray[Any]]

    @property
    def candidate(self) -> Family:
        family: Family = self.toy.summary("evaluate")["candidate"]["family"]
        return family

    def scorer(self, family: Family) -> Scorer:
        return Scorer.load(bundle_folder(self.toy.project, self.toy.name, family))

    def true(self, name: str, which: str = "test") -> NDArray[Any]:
        """An entry of the truth for the rows of a part."""
        who: NDArray[np.int64] = self.parts[which].frame[ENTITY].cast(pl.Int64).to_numpy()
        return self.truth[name][who]


def known(toy: Toy) -> Known:
    units, splits = read_table(toy.out("featurize", "units.parquet")), read_table(toy.out("split", "splits.parquet"))
    parts = {name: select_part(units, splits, name, toy.contract) for name in ("val", "test")}
    return Known(toy=toy, parts=parts, truth=compute_truth(toy.population))


@pytest.fixture(scope="module")
def response(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """ad_response as the gallery has it, from raw bytes to evaluate."""
    toy = make(tmp_path_factory.mktemp("response") / "project", CUSTOMERS)
    toy.run(*LIGHT, "train", "baseline", "evaluate")
    return known(toy)


@pytest.fixture(scope="module")
def uplift(response: Known, tmp_path_factory: pytest.TempPathFactory) -> Known:
    """ad_uplift as the gallery has it; what is the same up to clean is taken over from ad_response."""
    gallery, old = REPO / "src/perennial/gallery", response.toy
    toy = Toy(root=tmp_path_factory.mktemp("uplift"), name="ad_uplift")
    shutil.copytree(old.root, toy.root, dirs_exist_ok=True)
    document = yaml.safe_load((gallery / "params.yaml").read_text())["use_cases"]
    (toy.root / "params.yaml").write_text(yaml.safe_dump({"use_cases": {toy.name: document[toy.name]}}))
    shutil.copy(gallery / f"{toy.name}.yaml", toy.root / "contracts")
    for part_of in ("source", "rules", "events"):
        assert getattr(toy.contract, part_of) == getattr(old.contract, part_of)
    columns = {name: column.model_copy(update={"shares": ()}) for name, column in toy.contract.columns.items()}
    assert columns == old.contract.columns, "the same cells; what the lottery had planned is for evaluate"
    for stage in ("ingest", "validate", "clean"):
        shutil.copytree(old.out(stage), toy.out(stage))
    toy.run("featurize", "split", "augment", "train", "baseline", "evaluate")
    return known(toy)


# --- whom to write to


def profit(result: Known, who: NDArray[np.bool_]) -> float:
    """Expected money of contacting these test customers."""
    return float((MONEY.value * result.true("p_contacted") - MONEY.cost) @ who)


def list_of(result: Known, family: Family) -> NDArray[np.bool_]:
    """The test customers that evaluate would contact: the threshold comes from val."""
    val, test = (result.scorer(family).score(result.parts[which].frame)[:, 0] for which in ("val", "test"))
    return select_contacts(test, choose_threshold(val, MONEY), MONEY.budget_share)


def oracle(result: Known) -> float:
    p = result.true("p_contacted")
    return profit(result, (p > MONEY.cost / MONEY.value) & select_best(p, MONEY.budget_share, np.ones(len(p))))


def test_who_responds_can_be_foreseen_but_not_wholly(response: Known) -> None:
    y = response.parts["test"].y
    assert 3_000 < len(y) < 3_500
    assert 0.78 < measure("auc", y, response.true("p_contacted")) < 0.87


def test_the_candidates_list_earns_nearly_what_knowing_the_truth_would(response: Known) -> None:
    shares = {family: profit(response, list_of(response, family)) / oracle(response) for family in FAMILIES}
    assert len(shares) == 4
    assert shares[response.candidate] >= 0.90, shares
    assert 0.85 <= shares["linear"] <= 0.97, shares
    assert shares["boosted"] >= shares["linear"], shares
    assert shares["deep"] >= 0.90, shares
    document = response.toy.summary("evaluate")["profit"]["depth"]
    assert list_of(response, response.candidate).mean() == pytest.approx(document)


def test_writing_to_everyone_or_by_lot_earns_much_less(response: Known) -> None:
    n = len(response.parts["test"])
    everyone = profit(response, np.ones(n, dtype=np.bool_)) / oracle(response)
    assert 0.45 <= everyone <= 0.65
    by_lot = list_of(response, response.candidate).mean() * everyone
    assert by_lot <= 0.30


# --- which message


def earned(result: Known, arm: NDArray[np.int64]) -> float:
    """Expected money per 1,000 test customers above contacting nobody."""
    p = np.column_stack([result.true(name) for name in ("p0", "p_discover", "p_reward")])
    gain = OFFER.value * (p - p[:, :1]) - np.array(OFFER.costs)
    return float(np.take_along_axis(gain, arm[:, None], axis=1).mean() * 1000)


def test_the_policy_earns_where_no_single_message_does(uplift: Known) -> None:
    test, p = uplift.parts["test"], ("p0", "p_discover", "p_reward")
    scores = uplift.scorer(uplift.candidate).score(test.frame)
    assert scores.shape == (len(test), 3)
    chosen, single = (
        earned(uplift, policy.choose_messages(scores, OFFER)),
        max(earned(uplift, policy.send_to_all(k, len(test))) for k in (1, 2)),
    )
    knowing = earned(uplift, policy.choose_messages(np.column_stack([uplift.true(name) for name in p]), OFFER))
    assert single < 0
    assert chosen >= 400
    assert chosen >= single + 1000
    assert 0.4 * knowing <= chosen <= knowing


def test_those_whom_a_message_wins_are_not_those_who_respond(response: Known, uplift: Known) -> None:
    """A response model of the contacted ranks sure things high; the lists are equally long."""
    frame, n = uplift.parts["test"].frame, len(uplift.parts["test"])
    p = response.scorer("boosted").score(frame)[:, 0]
    by_response = policy.choose_by_response(np.column_stack([p, p, p]), 2, int(0.3 * n))
    ranking, send = policy.rank_messages(uplift.scorer(uplift.candidate).score(frame), OFFER)
    by_effect = np.where(select_best(ranking, 0.3, np.ones(n)), send, 0)
    assert (by_response > 0).sum() == (by_effect > 0).sum()
    assert earned(uplift, by_response) <= 300
    assert earned(uplift, by_effect) - earned(uplift, by_response) >= 300


@pytest.mark.parametrize("family", FAMILIES)
def test_predicted_effects_are_those_that_were_built_in(uplift: Known, family: Family) -> None:
    scores = uplift.scorer(family).score(uplift.parts["test"].frame)
    regular = (uplift.true("F") >= 4) & (uplift.true("R") < 150)
    assert regular.sum() > 1000
    discover, reward = (scores[regular, k].mean() - scores[regular, 0].mean() for k in (1, 2))
    assert discover <= -0.01
    assert reward >= 0.05
    assert scores[:, 0].mean() == pytest.approx(uplift.true("p0").mean(), abs=0.01)


# --- when to retrain


def retrain(toy: Toy, month: int, concept: int) -> None:
    """The next 20,000 customers, as of `month`, on the whole way."""
    contract = yaml.safe_load((REPO / f"src/perennial/gallery/{NAME}.yaml").read_text())
    contract["source"] |= {"first": CUSTOMERS, "month": month, "concept": concept}
    contract["unit"]["as_of"] = str(campaign_date(month))
    write_text(toy.project.contract(NAME), yaml.safe_dump(contract, allow_unicode=True, sort_keys=False))
    write_population(toy.project.raw(NAME), toy.population)
    toy.run(*LIGHT, "train", "baseline", "evaluate")


def judged(toy: Toy) -> DecisionRecord:
    register(toy.project, toy.name)
    return promote(toy.project, toy.name)


@pytest.fixture(scope="module")
def records(response: Known, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, DecisionRecord]]:
    """Four candidates in a row by the real register and promote; how good the deep family is does not matter here."""
    import mlflow

    toy = Toy(root=tmp_path_factory.mktemp("retrained"))
    shutil.copytree(response.toy.root, toy.root, dirs_exist_ok=True)
    write_text(toy.project.raw(NAME).with_suffix(".dvc"), "outs:\n- md5: 0123.dir\n  path: raw\n")
    toy.edit("params.yaml", "epochs: 40", "epochs: 3")
    toy.edit("params.yaml", "trials: 6", "trials: 2")
    result = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        result["first"] = judged(toy)
        retrain(toy, month=6, concept=0)
        result["later"] = judged(toy)
        retrain(toy, month=1, concept=100)
        result["other wishes"] = judged(toy)
        toy.edit_contract("salt: campaign-1", "salt: campaign-2")
        toy.run("split", "augment", "train", "baseline", "evaluate")
        result["other split"] = judged(toy)
    yield result
    mlflow.set_tracking_uri(None)


def champion_of(record: DecisionRecord) -> str | None:
    return record.champion.version if record.champion else None


def z_of_gain(record: DecisionRecord) -> float:
    gain = next(rule.interval for rule in record.rules if rule.name == RuleName.IMPROVEMENT)
    assert gain is not None
    return gain.value / ((gain.high - gain.low) / 2 / Z_99)


def test_the_first_model_is_promoted(records: dict[str, DecisionRecord]) -> None:
    assert records["first"].verdict == "PROMOTE"
    assert records["first"].champion is None


def test_half_a_year_later_the_same_wishes_are_no_reason_for_a_new_model(records: dict[str, DecisionRecord]) -> None:
    assert records["later"].verdict == "HOLD"
    assert champion_of(records["later"]) == "1"
    assert "not measurably better" in records["later"].reasons[0]
    assert abs(z_of_gain(records["later"])) < Z_99


def test_when_customers_want_something_else_the_new_model_is_promoted(records: dict[str, DecisionRecord]) -> None:
    assert records["other wishes"].verdict == "PROMOTE"
    assert champion_of(records["other wishes"]) == "1"
    assert z_of_gain(records["other wishes"]) > 4


def test_a_champion_that_trained_on_the_test_rows_is_not_compared(records: dict[str, DecisionRecord]) -> None:
    assert records["other split"].verdict == "HOLD"
    assert champion_of(records["other split"]) == records["other wishes"].version == "3"
    assert "not comparable: the champion has trained on" in records["other split"].reasons[0]


def test_the_four_decisions_follow_from_each_other(records: dict[str, DecisionRecord]) -> None:
    result = list(records.values())
    assert [record.number for record in result] == [1, 2, 3, 4]
    assert [record.version for record in result] == ["1", "2", "3", "4"]
    assert all(record.previous for record in result[1:])
