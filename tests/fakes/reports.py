"""Report contexts of all five tasks: real evaluations of simulated predictions, and what the real gate decides on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel
from scipy.sparse import csr_array

from perennial.contract.load import load
from perennial.contract.model import Contract, Money
from perennial.contract.serving import feature_columns
from perennial.data.io.images import encode_jpeg
from perennial.evaluation.decisions import messages, policy
from perennial.evaluation.decisions.alerts import evaluate_alerts
from perennial.evaluation.decisions.amounts import evaluate_amounts
from perennial.evaluation.decisions.classes import class_probabilities, describe_confusion, evaluate_classes
from perennial.evaluation.decisions.policy import message_policy
from perennial.evaluation.decisions.profit import choose_threshold, compare_profit, contact_policy, select_contacts
from perennial.evaluation.decisions.purchase_clusters import Purchases, evaluate_purchase_clusters, find_typical_items
from perennial.evaluation.decisions.response import count_outcomes, evaluate_response
from perennial.evaluation.decisions.risk import evaluate_loans, loan_policy
from perennial.evaluation.decisions.segments import (
    SegmentedCustomers,
    count_moves,
    evaluate_segments,
    measure_agreement,
    measure_retention,
)
from perennial.evaluation.statistics.choice import Labelled, Resampling
from perennial.evaluation.statistics.intervals import F64
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.evaluation.statistics.slices import compare_slices
from perennial.promotion.gate import LEVEL, Evidence, SegmentationEvidence, decide
from perennial.report.context import ExplainedRow, QuarantinedRow, QuotedText, ReportContext, ShownMistake
from perennial.results.binary import BinaryEvaluation
from perennial.results.clustering import ClusteringEvaluation
from perennial.results.decision import Decision, Rule, RuleName, RuleState, Verdict
from perennial.results.evaluation import EvaluationSummary
from perennial.results.explain import DeletionCheck
from perennial.results.families import Family
from perennial.results.multiclass import MulticlassEvaluation
from perennial.results.receipt import ListAction, ScoredList
from perennial.results.regression import RegressionEvaluation
from perennial.results.uplift import OutOfFold, RandomizationCheck, UpliftEvaluation
from tests.fakes import predictions, stages
from tests.fakes.decisions import CHAMPION, decision_record
from tests.fakes.predictions import GOOD, ROUGH, UNRELATED, Labels
from tests.fakes.stages import BAD, around

PHOTO = encode_jpeg(np.random.default_rng(1).integers(0, 256, (3, 80, 80)).astype(np.uint8))
VAL, TEST = 3298, 3283
VAL_SEED, TEST_SEED = 2, 3
RESAMPLING = Resampling(n=60, seed=1)
E = TypeVar("E", bound=EvaluationSummary)
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What the gate is to come to; `stopped_by` names the rule that keeps the candidate from being promoted."""

    verdict: Verdict = "PROMOTE"
    stopped_by: str = ""
    champion: bool = False
    suspects: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[float, float]:
        """Of the candidate's and of the champion's predictions."""
        match self.verdict, self.stopped_by:
            case "REJECT", "minimum":
                return UNRELATED, ROUGH
            case "REJECT", _:
                return ROUGH, GOOD
            case "HOLD", "improvement":
                return GOOD, GOOD
            case _:
                return GOOD, ROUGH


def gallery(name: str) -> Contract:
    return load(Path(str(resources.files("perennial.gallery") / f"{name}.yaml")))


def with_evaluation(report: ReportContext[E], **changes: Any) -> ReportContext[E]:
    """The same report with other figures."""
    return replace(report, evaluation=report.evaluation.model_copy(update=changes))


def with_contract(report: ReportContext[E], **changes: Any) -> ReportContext[E]:
    return replace(report, contract=report.contract.model_copy(update=changes))


def with_names(report: ReportContext[E], **names: str) -> ReportContext[E]:
    """The same report with other names of values, classes, messages and segments, old=new."""

    def renamed(model: M) -> M:
        text = model.model_dump_json()
        for old, new in names.items():
            text = text.replace(f'"{old}"', f'"{new}"')
        return type(model).model_validate_json(text)

    return replace(report, evaluation=renamed(report.evaluation), explain=renamed(report.explain))


def with_choice_of(report: ReportContext[E], family: Family) -> ReportContext[E]:
    """The same report of another family."""
    return with_evaluation(report, candidate=report.evaluation.candidate.model_copy(update={"family": family}))


@cache
def response_report(verdict: Verdict = "PROMOTE", *, money: bool = True, **case: Any) -> ReportContext[BinaryEvaluation]:
    """Whom to contact."""
    contract = gallery("ad_response")
    if not money:
        contract = contract.model_copy(update={"money": Money()})
    return _yes_or_no("ad_response", contract, (VAL, TEST), Case(verdict=verdict, **case))[0]


def with_list(report: ReportContext[E], *, chosen: int = 400, version: str | None = None) -> ReportContext[E]:
    """The same report after a file of 1,000 customers was scored."""
    groups = (("contact", "profit expected: break-even is 0.05", chosen, 1520.0), ("leave", "no profit expected", 600, -410.0))
    return replace(
        report,
        scored=ScoredList(
            rows=1003,
            scored=1000,
            rejected=3,
            output="lists/may.csv",
            model_version=version or report.version,
            chosen=chosen,
            to="contact",
            source="may.csv",
            actions=tuple(ListAction(action=a, reason=r, n=n, expected_profit=p) for a, r, n, p in groups if n),
            unknown={"channel": 12},
        ),
    )


@cache
def churn_report(verdict: Verdict = "PROMOTE", **case: Any) -> ReportContext[BinaryEvaluation]:
    """Customers of a log of orders at cut-offs, without money."""
    return _yes_or_no("customer_churn", gallery("customer_churn"), (VAL, TEST), Case(verdict=verdict, **case))[0]


@cache
def loans_report(verdict: Verdict = "PROMOTE", **case: Any) -> ReportContext[BinaryEvaluation]:
    """Whom to lend to, and how protected groups fare."""
    contract = gallery("german_risk")
    report, _, test = _yes_or_no("german_risk", contract, (2000, 2000), Case(verdict=verdict, **case), {"intercept": -1.0})
    loan, p = loan_policy(contract.money), test.scores[report.evaluation.candidate.family]
    assert loan is not None
    groups = {"foreign_worker": np.where(np.arange(2000) % 3, "A201", "A202")}
    taken = count_outcomes(test.y, p > loan.cut)
    return with_evaluation(report, risk=evaluate_loans(test.y, p, loan, groups, RESAMPLING), at_threshold=taken)


@cache
def alerts_report(verdict: Verdict = "PROMOTE", **case: Any) -> ReportContext[BinaryEvaluation]:
    """Which payments to look at; of honest ones a sample is in the rows."""
    contract, settings = gallery("card_fraud"), {"intercept": -33.0, "slope": 20.0, "sampling": 0.03344}
    report, val, test = _yes_or_no("card_fraud", contract, (8000, 8000), Case(verdict=verdict, **case), settings)
    family, per_1000 = report.evaluation.candidate.family, contract.money.alerts_per_1000
    assert per_1000 is not None
    assert val.weight is not None
    assert test.weight is not None
    rows = (val.scores[family], val.weight), (test.y, test.scores[family], test.weight)
    amount = np.random.default_rng(1).lognormal(4, 1, 8000)
    alerts = evaluate_alerts(*rows, amount, per_1000, RESAMPLING)
    taken = count_outcomes(test.y, test.scores[family] > alerts.threshold)
    return with_evaluation(report, alerts=alerts, at_threshold=taken)


def with_explanations(report: ReportContext[E], **changes: Any) -> ReportContext[E]:
    return replace(report, explain=report.explain.model_copy(update=changes))


def with_other_splits(report: ReportContext[E]) -> ReportContext[E]:
    """The same report with a table of what other splits would have shown."""
    sensitivity = stages.split_sensitivity(report.contract.task.primary)
    return replace(report, baseline=report.baseline.model_copy(update={"split_sensitivity": sensitivity}))


@cache
def texts_report() -> ReportContext[BinaryEvaluation]:
    """Texts that are quoted, words both ways, and what was taken for what."""
    report, (test, _) = response_report(money=False), predictions.responses(Case().errors[0], TEST, TEST_SEED)
    confusion = describe_confusion(test.y, class_probabilities(test.scores[report.evaluation.candidate.family][:, None]))
    pieces = ((f"{BAD} is ", 0.0), ("awful", 1.0), (" but ", 0.0), ("soft", -0.3), ("<b>", 0.6))
    quotes = (QuotedText(label="review", pieces=pieces),)
    report = replace(
        with_explanations(report, words=stages.words(), rows=1000),
        customers=tuple(replace(row, quotes=quotes) for row in report.customers),
        mistakes=shown_mistakes(confusion.mistakes, quotes=quotes),
    )
    return with_evaluation(report, confusion=confusion)


@cache
def photos_report(passes: bool = True) -> ReportContext[MulticlassEvaluation]:
    """Photos, with heat maps where these pass the deletion check."""
    report, heat = classes_report(), PHOTO if passes else None
    another = around(0.26 if passes else 0.01, 0.06)
    check = DeletionCheck(n=80, share=0.2, drop=around(0.38, 0.05), elsewhere=around(0.27, 0.06), another=another)
    report = replace(
        report,
        mistakes=shown_mistakes(report.evaluation.confusion.mistakes, photo=PHOTO, heat=heat),
        customers=tuple(replace(row, photo=PHOTO, heat=heat) for row in report.customers),
    )
    return with_explanations(report, heat=check, groups=(), importance=report.explain.importance[:1])


def shown_mistakes(mistakes: Any, **exhibits: Any) -> tuple[ShownMistake, ...]:
    return tuple(ShownMistake(**{**mistake.model_dump(), "row": f"row {mistake.row}"}, **exhibits) for mistake in mistakes)


@cache
def classes_report(verdict: Verdict = "PROMOTE", *, distance: float = 2.0, **case: Any) -> ReportContext[MulticlassEvaluation]:
    """Which of ten garments is on a photo; the larger the `distance` of classes, the better they are told apart."""
    contract, outcome, n = gallery("product_images"), Case(verdict=verdict, **case), 1200
    settings = (len(contract.classes), distance)
    val, test = (predictions.garments(outcome.errors[0], n, seed, *settings)[0] for seed in (VAL_SEED, TEST_SEED))
    evaluation = evaluate_classes(val, test, contract.task.primary, contract.classes, False, _channels(n), RESAMPLING)
    champion = predictions.garments(outcome.errors[1], n, TEST_SEED, *settings)[1]
    evidence = _evidence(contract, test, evaluation, champion)
    rate = float(np.bincount(test.y.astype(int)).max() / n)
    return _report("product_images", contract, evaluation, evidence, outcome, rate)


@cache
def amounts_report(verdict: Verdict = "PROMOTE", *, times: float = 1.0, **case: Any) -> ReportContext[RegressionEvaluation]:
    """What customers of a shop will spend; predictions are `times` what is to be expected."""
    contract, outcome, n = gallery("customer_value"), Case(verdict=verdict, **case), 2000
    val, test = (predictions.amounts(outcome.errors[0], n, seed, times)[0] for seed in (VAL_SEED, TEST_SEED))
    evaluation = evaluate_amounts(val, test, contract.task.primary, _channels(n), RESAMPLING)
    evidence = _evidence(contract, test, evaluation, predictions.amounts(outcome.errors[1], n, TEST_SEED, times)[1])
    return _report("customer_value", contract, evaluation, evidence, outcome, float(test.y.mean()))


@cache
def uplift_report(
    verdict: Verdict = "PROMOTE", *, clear: bool = True, fair: bool = True, **case: Any
) -> ReportContext[UpliftEvaluation]:
    """Which message to whom; `clear` says whether a choice surely beats the best single message."""
    effects = ((0.02, 0.03), 0.07) if clear else ((0.03, 0.08), 0.03)
    return _uplift("ad_uplift", effects, Case(verdict=verdict, **case), fair=fair)


@cache
def spend_report() -> ReportContext[UpliftEvaluation]:
    """A message to everyone, at any cost: of two that move the same customers one moves all of them more."""
    return _uplift("email_spend", ((1.5, 0.5), 0.8), Case())


@cache
def segments_report(
    verdict: Verdict = "PROMOTE", *, name: str = "customer_segments", **case: Any
) -> ReportContext[ClusteringEvaluation]:
    """Three groups of customers, and what they buy."""
    contract, outcome, rng, n = gallery(name), Case(verdict=verdict, **case), np.random.default_rng(1), 4338
    wrong = {2: 0.01, 3: 0.2 if outcome.stopped_by == "stability" else 0.02, 4: 0.15, 5: 0.25}
    on_val, on_test = (predictions.segmentations(430, seed, tuple(wrong.items())) for seed in (VAL_SEED, TEST_SEED))
    labels = rng.choice(3, n, p=(0.2, 0.4, 0.4)).astype(np.int64)
    size, features = np.array([9.0, 3.0, 1.0])[labels], feature_columns(contract)
    numbers = [feature.name for feature in features if feature.kind == "numeric"][:5]
    kinds = [feature.name for feature in features if feature.kind == "categorical"]
    population = SegmentedCustomers(
        labels=labels,
        numbers={column: np.ceil((size if i else 9 / size) * rng.gamma(3, 4, n)) for i, column in enumerate(numbers)},
        categories={column: np.where(rng.random(n) < 0.5 - 0.2 * labels, "often", "rare") for column in kinds},
        amount=size * rng.lognormal(4, 0.6, n) if contract.money.amount else None,
    )
    names = ("Champions", "Promising customers", "Lost customers")
    evaluation = evaluate_segments(
        {k: measure_agreement(pairs) for k, (_, pairs) in on_val.items()},
        {k: pairs for k, (_, pairs) in on_test.items()},
        on_test[3][0],
        population,
        names,
        430,
    )
    if contract.money.amount:
        evaluation = _with_purchases(evaluation, labels, rng)
    before, now = (np.array(names)[some] for some in (labels, predictions.relabelled(rng, labels, outcome.stopped_by)))
    evidence = SegmentationEvidence(
        stability=evaluation.agreement(3).reported,
        minimum=contract.task.minimum,
        retention=measure_retention(before, now) if outcome.champion else None,
    )
    return _report(name, contract, evaluation, evidence, outcome, None)


def _yes_or_no(
    name: str, contract: Contract, sizes: tuple[int, int], case: Case, settings: Mapping[str, float] | None = None
) -> tuple[ReportContext[BinaryEvaluation], Labelled, Labelled]:
    """The report, and the rows of val and test."""
    parts, more = list(zip(sizes, (VAL_SEED, TEST_SEED), strict=True)), dict(settings or {})
    val, test = (predictions.responses(case.errors[0], n, seed, **more)[0] for n, seed in parts)
    champion = [predictions.responses(case.errors[1], n, seed, **more)[1] for n, seed in parts]
    money = contact_policy(contract.money)
    evaluation = evaluate_response(val, test, contract.task.primary, money, _channels(sizes[1]), RESAMPLING)
    evidence = _evidence(contract, test, evaluation, champion[1])
    if money is not None:
        pairs = [part.scores[evaluation.candidate.family] for part in (val, test)], champion
        new, old = (select_contacts(there, choose_threshold(here, money), money.budget_share) for here, there in pairs)
        evidence = replace(evidence, profit=compare_profit(test.y, new, old, money, LEVEL))
    return _report(name, contract, evaluation, evidence, case, float(test.y.mean())), val, test


def _uplift(
    name: str, effects: tuple[tuple[float, ...], float], case: Case, *, fair: bool = True
) -> ReportContext[UpliftEvaluation]:
    contract, n, n_all = gallery(name), 4066, 10_000
    offer, settings = message_policy(contract), (contract.shares, *effects, name == "email_spend")
    val, test = (predictions.campaign(case.errors[0], n, seed, *settings)[0] for seed in (VAL_SEED, TEST_SEED))
    champion = predictions.campaign(case.errors[1], n, TEST_SEED, *settings)[1]
    rows, rng = predictions.campaign(case.errors[0], n_all, 4, *settings)[0], np.random.default_rng(7)
    before = {
        feature.name: rng.normal(size=n_all) if feature.kind == "numeric" else rng.choice(["a", "b"], n_all)
        for feature in feature_columns(contract)[:4]
    }
    if not fair:
        before[next(iter(before))] = np.where(rng.random(n_all) < 0.5 + 0.05 * rows.arm, "a", "b")

    def full(family: Family) -> tuple[RandomizationCheck, OutOfFold]:
        campaign = replace(rows, scores={family: rows.scores[family]})
        check = messages.check_randomization(rows.arm, before, contract.shares)
        return check, messages.evaluate_full_campaign(campaign, contract.arms, offer, RESAMPLING)

    evaluation = messages.evaluate_uplift(val, test, contract.arms, offer, RESAMPLING, 20, full)
    candidate = test.scores[evaluation.candidate.family]
    rewards = policy.estimate_rewards(test.y, test.arm, (candidate + champion) / 2, offer)
    new, old = (policy.choose_messages(scores, offer) for scores in (candidate, champion))
    evidence = replace(
        _evidence(contract, test, evaluation, champion),
        profit=policy.estimate_worth(rewards, new, old, LEVEL) * (n / 1000),
        randomization_problem=evaluation.randomization.problem,
    )
    return _report(name, contract, evaluation, evidence, case, float(test.y.mean()))


def _with_purchases(evaluation: ClusteringEvaluation, labels: Labels, rng: np.random.Generator) -> ClusteringEvaluation:
    """What customers buy, and which segments they were in a month before."""
    cluster = rng.integers(0, 2, len(labels))
    bought = rng.random((len(labels), 4)) < np.array([[0.5, 0.4, 0.1, 0.2], [0.1, 0.2, 0.6, 0.2]])[cluster]
    purchases = Purchases(by_NI=csr_array(bought.astype(float)), items=("lunch bag", "tea towel", "lantern", BAD))
    segments = zip(evaluation.segments, find_typical_items(purchases, labels, 3), strict=True)
    before = predictions.relabelled(rng, labels, "label_retention")
    return evaluation.model_copy(
        update={
            "purchase_clusters": evaluate_purchase_clusters(purchases, labels, 3, cluster, 2),
            "moves": count_moves(before, labels, 3, ("2011-11-10", "2011-12-10")),
            "segments": tuple(segment.model_copy(update={"items": items}) for segment, items in segments),
        }
    )


def _channels(n: int) -> dict[str, Any]:
    return {"channel": np.array([BAD, "store", "web"])[np.arange(n) % 3]}


def _evidence(
    contract: Contract, test: Labelled | messages.CampaignRows, evaluation: EvaluationSummary, champion: F64
) -> Evidence:
    candidate, more = test.scores[evaluation.candidate.family], (getattr(test, key, None) for key in ("arm", "weight"))
    arm, weight = more
    comparison = PairedComparison(metric=contract.task.primary, y=test.y, resamples=100, seed=1, arm=arm, weight=weight)
    return Evidence(
        comparison=comparison,
        minimum=contract.task.minimum,
        candidate=candidate,
        champion=champion,
        slices=compare_slices(comparison, _channels(len(test.y)), candidate, champion),
    )


def _decide(evidence: Evidence | SegmentationEvidence, case: Case) -> Decision:
    """What the gate says. What stops a candidate whose predictions are good is added to the evidence."""
    if case.stopped_by == RuleName.ROLLED_BACK:
        sentence = "this version was rolled back (it sold too much)"
        rule = Rule(name=RuleName.ROLLED_BACK, sentence=sentence, state=RuleState.HOLD)
        return Decision(verdict="HOLD", rules=(rule,))
    if case.stopped_by == RuleName.COMPARABLE:
        evidence = replace(evidence, not_comparable="the champion has trained on 12 of these test rows")
    if isinstance(evidence, Evidence):
        if not case.champion:
            evidence = replace(evidence, champion=None)
        if case.stopped_by == RuleName.PROFIT:
            evidence = replace(evidence, profit=around(-1800, 900))
        if case.stopped_by == RuleName.SLICES:
            first, *others = evidence.slices
            evidence = replace(evidence, slices=(replace(first, better_by=around(-0.04, 0.02)), *others))
    decision = decide(evidence)
    stopped = "" if decision.verdict == "PROMOTE" else decision.reasons[0].name
    assert (decision.verdict, stopped) == (case.verdict, case.stopped_by), decision
    return decision


def _report(
    name: str, contract: Contract, evaluation: E, evidence: Evidence | SegmentationEvidence, case: Case, rate: float | None
) -> ReportContext[E]:
    decision = _decide(evidence, case)
    record = decision_record(
        decision.verdict,
        use_case=name,
        family=evaluation.candidate.family,
        champion=CHAMPION if case.champion else None,
        rules=decision.rules,
        reasons=tuple(rule.sentence for rule in decision.reasons),
    )
    return ReportContext(
        **stages.summaries(contract, evaluation, case.suspects, rate),
        name=name,
        contract=contract,
        at="2026-06-02 03:15",
        evaluation=evaluation,
        decision=record,
        history=(record.model_copy(update={"number": 1}),),
        customers=(
            ExplainedRow(row="row 4763", score="44\u202f%", reasons=f"city: {BAD}; but no garden visits"),
            ExplainedRow(row="row 2463", score="43\u202f%", reasons="against: no garden visits"),
        ),
        quarantine=(QuarantinedRow(where="customers.csv:7", reason=f"city: {BAD!r} is not known", raw=f"7,{BAD}"),),
        quarantined={"cell:signup": 51, f"in_set:{BAD}": 39},
        lineage={
            "commit": "0123456789abcdef",
            "changed": "false",
            "code": "d" * 64,
            "raw": "e" * 32 + ".dir",
            "python": "3.11.15",
            "cpu": "x86_64 avx2",
            "version.torch": "2.13.0",
        },
    )
