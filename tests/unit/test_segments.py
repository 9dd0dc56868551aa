"""Segments: what agreement is, how many hold, whose name is kept, what they are called, and when the gate lets them in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import ValidationError
from sklearn.metrics import adjusted_rand_score

from perennial.config.augment import AugmentParams
from perennial.config.baseline import PreviousSegments
from perennial.contract.load import parse
from perennial.contract.serving import build_serving_view, find_rfm_features
from perennial.data.prepare.augment import count_draws
from perennial.errors import ConfigError, ContractError
from perennial.evaluation.decisions.naming import Trait, propose_names, rank_centres
from perennial.evaluation.decisions.purchase_clusters import Purchases, evaluate_purchase_clusters, find_typical_items
from perennial.evaluation.decisions.segments import (
    Agreement,
    SegmentedCustomers,
    choose_k,
    count_moves,
    match_labels,
    measure_agreement,
    measure_retention,
    measure_steadiness,
    profile_segment,
    rand_index,
)
from perennial.promotion.gate import SegmentationEvidence, decide
from perennial.results.clustering import CategoryProfile
from perennial.results.figures import Interval
from tests.conftest import REPO

pytestmark = pytest.mark.unit
RFM = [Trait("silence", "recency"), Trait("orders", "frequency"), Trait("spent", "money")]
GALLERY = REPO / "src" / "perennial" / "gallery"


def stable(value: float, same_label: float = 0.95) -> Agreement:
    return Agreement(index=Interval(value=value, low=value - 0.1, high=value + 0.05), same_label=same_label, error=0.01)


def test_the_index_is_that_of_scikit_learn_and_of_equal_labellings_1() -> None:
    rng = np.random.default_rng(1)
    for k in (2, 3, 7):
        a, b = rng.integers(k, size=300), rng.integers(k, size=300)
        b[:150] = a[:150]
        assert rand_index(a, b) == pytest.approx(adjusted_rand_score(a, b))
    assert rand_index(a, (a + 1) % 7) == pytest.approx(1)
    assert rand_index(np.zeros(9, np.int64), np.zeros(9, np.int64)) == 1


def test_new_labels_go_by_the_customers_they_share_one_to_one() -> None:
    old = np.array([0] * 50 + [1] * 30 + [2] * 20)
    new = (old + 1) % 3
    new[:5] = 0
    assert (match_labels(new, old)[5:] == old[5:]).all()
    four = np.where(np.arange(100) >= 90, 3, old)
    assert set(match_labels(four, old)) == {0, 1, 2, -1}


def test_the_most_segments_that_hold_are_taken_and_without_any_the_nearest() -> None:
    result = {2: stable(0.95), 3: stable(0.9), 4: stable(0.88, same_label=0.8), 5: stable(0.7)}
    assert choose_k(result, 0.85) == 3
    assert choose_k(result, 0.96) == 2
    assert choose_k(result, 0.895) == 2  # 3 reaches it by less than its standard error
    labels = np.array([0, 0, 1, 1, 1, 1])
    outcome = measure_agreement([(labels, 1 - labels), (labels, np.array([0, 1, 1, 1, 1, 1]))])
    assert outcome.index.high == 1
    assert outcome.same_label == pytest.approx(5 / 6)
    assert [s.low for s in measure_steadiness(labels, [(labels, np.array([0, 1, 1, 1, 1, 1]))], 2)] == [0.5, 1.0]


def test_names_kept_are_those_that_customers_see() -> None:
    old = np.array(["Loyal"] * 60 + ["Lost"] * 40)
    swapped = np.where(old == "Loyal", "Lost", "Loyal")
    result = measure_retention(old, swapped)
    assert (result.overall.value, result.grouped) == (0.0, 1.0)
    one = old.copy()
    one[60:75] = "Loyal"
    result = measure_retention(old, one)
    assert result.overall.value == pytest.approx(0.85)
    assert result.worst[0] == "Lost"
    assert result.worst[1].value == pytest.approx(25 / 40)


def test_centres_of_recency_frequency_and_money_have_their_usual_names() -> None:
    centres = np.array([[-1.0, 1.5, 1.4], [1.0, -0.7, -0.7], [0.9, 1.0, 0.8], [-0.9, -0.8, -0.5], [0.2, 0.0, 1.2]])
    expected = ["Champions", "Lost customers", "At risk", "New or rare customers", "Big spenders"]
    assert propose_names(centres, RFM) == expected
    assert rank_centres(centres, np.ones(5), RFM)[0] == 0
    twice = propose_names(np.array([[1.0, -0.6, -0.9], [1.2, -0.7, -0.3]]), RFM)
    assert twice == ["Lost customers, least spent", "Lost customers, most spent"]


def test_other_centres_are_named_by_two_columns_that_do_not_tell_the_same() -> None:
    traits = [Trait("pages", ""), Trait("time", ""), Trait("bounces", "")]
    centres = np.array([[1.5, 1.45, -0.6], [-1.0, -0.9, 0.8]])
    assert propose_names(centres, traits) == ["More pages, less bounces", "Less pages, more bounces"]
    assert rank_centres(centres, np.array([10.0, 90.0]), traits) == [1, 0]


def test_profiles_add_up_and_hold_a_segment_against_all() -> None:
    labels = np.array([0, 0, 0, 1])
    people = SegmentedCustomers(
        labels=labels,
        numbers={"x": np.array([1.0, np.nan, 3.0, 8.0])},
        amount=np.array([1.0, 1, 1, 7]),
        categories={"c": np.array(["a", "a", "a", "b"])},
    )
    first, second = (profile_segment(people, s, name, Interval(value=0.9, low=0.8, high=1.0)) for s, name in enumerate("AB"))
    assert (first.n, second.n) == (3, 1)
    assert first.amount_share + second.amount_share == pytest.approx(1)
    assert second.numbers[0].index == pytest.approx(2)
    assert second.categories == (CategoryProfile(column="c", value="b", share=1.0, lift=4.0),)


@pytest.mark.parametrize(
    ("stability", "kept_of_100", "verdict", "words"),
    [
        (stable(0.9), None, "PROMOTE", "0.85 is reached"),
        (stable(0.8), None, "REJECT", "weak structure"),
        (stable(0.9, same_label=0.8), None, "PROMOTE", "the worst pair gives 80.0% of them the same segment"),
        (stable(0.9), 95, "PROMOTE", "95.0% of all customers keep their label"),
        (stable(0.9), 85, "HOLD", "85.0% of all customers keep their label, 90% is needed"),
        (stable(0.8), 95, "REJECT", "weak structure"),
    ],
)
def test_the_gate_asks_for_stability_then_for_names(
    stability: Agreement, kept_of_100: int | None, verdict: str, words: str
) -> None:
    held_rows = None
    if kept_of_100 is not None:
        held_rows = measure_retention(np.array(["A"] * 100), np.array(["A"] * kept_of_100 + ["B"] * (100 - kept_of_100)))
    decision = decide(SegmentationEvidence(stability=stability, minimum=0.85, retention=held_rows))
    assert decision.verdict == verdict
    assert any(words in rule.sentence for rule in decision.rules)


def test_one_segment_that_loses_its_customers_holds_a_version_that_all_others_would_pass() -> None:
    old, new = np.array(["A"] * 95 + ["B"] * 5), np.array(["A"] * 98 + ["B"] * 2)
    decision = decide(SegmentationEvidence(stability=stable(0.9), minimum=0.85, retention=measure_retention(old, new)))
    assert decision.verdict == "HOLD"
    assert [rule.name for rule in decision.reasons] == ["segment_retention"]
    other = decide(SegmentationEvidence(stability=stable(0.9), minimum=0.85, not_comparable="other columns"))
    assert [rule.name for rule in other.reasons] == ["comparable"]


def contract(**changes: Any) -> Any:
    document = yaml.safe_load((GALLERY / "wholesale_segments.yaml").read_text())
    return {**document, **changes}


def test_a_contract_without_an_outcome_is_whole() -> None:
    read = parse(contract(), "here")
    assert read.target is None
    view = build_serving_view(read)
    assert {f.kind for f in view.features} == {"numeric"}
    assert view.head.outputs == ()
    shop = parse(yaml.safe_load((GALLERY / "customer_segments.yaml").read_text()), "here")
    assert find_rfm_features(shop) == {"last": "recency", "baskets": "frequency", "spent": "money"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"columns": {"y": {"role": "outcome", "values": {"a": 0, "b": 1}}, "x": {"role": "numeric"}}}, "has no outcome"),
        ({"columns": {"c": {"role": "categorical"}}}, "needs a column of role numeric"),
        ({"task": {**contract()["task"], "k": [5, 2]}}, "k is the least and the most segments"),
    ],
)
def test_a_contract_that_contradicts_itself_says_so(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractError, match=words):
        parse(contract(**changes), "here")


def test_a_cutoff_split_needs_a_cut_off_to_train_on() -> None:
    document = yaml.safe_load((GALLERY / "customer_segments.yaml").read_text())
    document["split"] = {"kind": "cutoff", "val_share_of_entities": 0.1, "salt": "s"}
    with pytest.raises(ContractError, match=r"needs a cut-off in unit\.cutoffs\.train"):
        parse(document, "here")


def test_draws_by_outcome_need_one() -> None:
    import polars as pl

    with pytest.raises(ConfigError, match="this task has none"):
        count_draws(pl.DataFrame({"row_id": ["a"]}), None, AugmentParams(kind="oversample", times=2))


def test_known_segments_are_complete() -> None:
    columns = {"x": {"log": True, "center": 0.0, "scale": 1.0}}
    with pytest.raises(ValidationError, match="as many different names"):
        PreviousSegments.model_validate({"names": ["A", "A"], "columns": columns, "centres": [{"x": 1.0}, {"x": 2.0}]})
    with pytest.raises(ValidationError, match="a number for each of the columns"):
        PreviousSegments.model_validate({"names": ["A", "B"], "columns": columns, "centres": [{"x": 1.0}, {"y": 2.0}]})


def test_moves_are_counted_from_rows_to_columns() -> None:
    result = count_moves(np.array([0, 0, 0, 1, 1]), np.array([0, 1, 1, 1, 1]), 3, ("then", "now"))
    assert result.counts == ((1, 2, 0), (0, 2, 0), (0, 0, 0))
    assert result.moved.value == pytest.approx(0.4)
    assert result.moved.low < 0.4 < result.moved.high


def test_what_a_group_buys_is_what_more_of_it_bought_than_of_all() -> None:
    who = np.array(["a", "a", "a", "b", "b", "c", "d", "d"])
    what = np.array(["tea", "mug ", "tea", "tea", "mug ", "tea", "tea", "pin"])
    bought = Purchases.of(who, what, np.array(["a", "b", "c", "d", "e"]))
    assert bought.items == ["mug", "pin", "tea"]
    assert bought.by_NI.toarray().tolist() == [[1, 0, 1], [1, 0, 1], [0, 0, 1], [0, 1, 1], [0, 0, 0]]
    first, second, nobody = find_typical_items(bought, np.array([0, 0, 1, 1, 1]), 3)
    assert [item.item for item in first] == ["mug", "tea"]
    assert (first[0].item, first[0].share, first[0].lift) == ("mug", 1.0, pytest.approx(2.5))
    assert [item.item for item in second] == ["pin"]
    assert nobody == ()
    result = evaluate_purchase_clusters(bought, np.array([0, 0, 0, 1, 1]), 2, np.array([0, 1, 1, 1, 1]), 2)
    assert [one.n for one in result] == [1, 4]
    assert result[0].segment_shares == pytest.approx([1 / 3, 0])
