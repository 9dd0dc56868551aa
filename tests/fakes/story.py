"""Stories of every task with invented figures, as the action of the report would gather them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from perennial.contract.load import load
from perennial.contract.model import Contract, Money
from perennial.evaluation.decisions import amounts, classes
from perennial.evaluation.decisions.response import Labelled, Resampling
from perennial.report.context import Story
from perennial.results.decision import Verdict

BAD = "<script>alert(1)</script>"
TRAIN, VAL, TEST = 9569, 3298, 3283
DEPTHS = [i / 100 for i in range(101)]
Figures = Mapping[str, float]
CHAMPION = {"version": "3", "digest": "c" * 64, "family": "boosted"}


def about(value: float, reach: float) -> dict[str, float]:
    return {"value": value, "low": value - reach, "high": value + reach}


def response_story(
    verdict: Verdict = "PROMOTE",
    *,
    stopped_by: str = "",
    champion: bool = False,
    money: bool = True,
    suspects: tuple[str, ...] = (),
    everyone: float = 3394,
    deep: Figures | None = None,
) -> Story:
    """Whom to contact. A candidate that is not promoted was stopped by the rule `stopped_by`."""
    contract = gallery("ad_response")
    if not money:
        contract = contract.model_copy(update={"money": Money()})
    rejected = verdict == "REJECT" and stopped_by == "minimum"
    evaluation = {
        "primary": "auc",
        "rows": {"val": VAL, "test": TEST},
        "candidate": {"family": "linear", "best": "boosted"},
        "deep_minus_traditional": {"metric": "auc", "traditional": "boosted", **(deep or about(-0.002, 0.006))},
        "families": {name: _response_family(0.5 if rejected else auc) for name, auc in _AUC.items()},
        "calibration": _calibration(),
        "gains": {name: _band(lambda d, p=power: d**p, 0.03) for name, power in _POWERS.items()},  # type: ignore[misc]
        "slices": [
            {"column": "channel", "value": value, "n": n, "auc": about(auc, 0.05)}
            for value, n, auc in ((BAD, 821, 0.785), ("store", 1507, 0.852), ("web", 955, 0.814))
        ],
    }
    if money:
        evaluation["profit"] = _profit(everyone)
    return _story(
        "ad_response",
        contract,
        _decision(verdict, stopped_by, champion, 0.7, 0.5 if rejected else 0.82),
        evaluation,
        suspects,
    )


def uplift_story(
    verdict: Verdict = "PROMOTE",
    *,
    stopped_by: str = "",
    champion: bool = False,
    clear: bool = True,
    fair: bool = True,
    single: float = -343,
    suspects: tuple[str, ...] = (),
) -> Story:
    """Which message to whom; `clear` says whether the choice surely beats the best single message."""
    choice = about(1144, 679)
    plans = {
        "choice": (1626, choice),
        "response": (1626, about(908, 724)),
        "random": (1626, about(-137, 501)),
        "all 1": (4066, about(-2128, 735)),
        "all 2": (4066, about(single, 792)),
        "nobody": (0, about(0, 0)),
    }
    against = {"best_single": 1487 if clear else 210, "nobody": 1144, "response": 236}
    evaluation = {
        "primary": "qini",
        "rows": {"val": VAL, "test": 4066},
        "arms": ["none", "discover", "reward"],
        "candidate": {"family": "linear", "best": "deep"},
        "deep_minus_traditional": {"metric": "qini", "traditional": "linear", **about(0.0026, 0.0038)},
        "families": {
            name: {"test": {"qini": about(qini, 0.004), "policy_value": about(worth, 680)}}
            for name, qini, worth in (("linear", 0.0125, 1144), ("boosted", 0.0121, 1333), ("deep", 0.0151, 1169))
        },
        "lottery": _lottery(fair=fair),
        "placebo": {"mean": 0.0003, "greatest": 0.0064, "times": 20},
        "policy": {
            "against": {name: about(value, 540) for name, value in against.items()},
            "best_single": 2,
            "budget_share": 0.4,
            "depth": 0.4,
            "shares": [0.6, 0.14, 0.26],
            "curves": {
                "choice": _band(lambda d: 15000 * d * (1 - 0.9 * d), 2600),
                "response": _band(lambda d: 12000 * d * (1 - 1.1 * d), 2600),
            },
            "plans": [
                {"name": name, "contacted": contacted, "customers": 4066, "per_1000": found}
                for name, (contacted, found) in plans.items()
            ],
        },
    }
    evaluation["out_of_fold"] = {
        "family": "linear",
        "rows": 20000,
        "messages": [_message("discover", 0.0085, clear), _message("reward", -0.0037 if clear else -0.012, clear)],
        "policy": evaluation["policy"],
    }
    decision = _decision(verdict, stopped_by, champion, 0.0, 0.001 if stopped_by == "minimum" else 0.0125)
    return _story("ad_uplift", gallery("ad_uplift"), decision, evaluation, suspects)


def spend_story() -> Story:
    """A message to everyone, at any cost: the outcome is an amount, and a choice for each gains nothing over one for all."""
    story = uplift_story(clear=False)
    policy = {**story.evaluation["policy"], "budget_share": 1.0}
    out_of_fold = {**story.evaluation["out_of_fold"], "policy": policy}
    evaluation = {**story.evaluation, "policy": policy, "out_of_fold": out_of_fold}
    return replace(story, contract=gallery("email_spend"), summaries={**story.summaries, "evaluate": evaluation})


def classes_story(
    verdict: Verdict = "PROMOTE", *, stopped_by: str = "", champion: bool = False, suspects: tuple[str, ...] = (),
    sure: float = 2.0,
) -> Story:  # fmt: skip
    """Which of ten garments is on a photo; figures are judged on scores drawn at random, `sure` says how good they are."""
    contract = gallery("product_images")
    names = contract.classes
    rng = np.random.default_rng(1)
    y = rng.integers(0, len(names), 1200)
    link = rng.normal(size=(1200, len(names))) + sure * np.eye(len(names))[y]
    p = np.exp(link) / np.exp(link).sum(axis=1, keepdims=True)
    part = Labelled(y=y.astype(np.float64), scores=dict.fromkeys(("linear", "kernel", "deep", "blend"), p))
    groups = {"channel": np.array([BAD, "web"] * 600)}
    evaluation = classes.judge(part, part, "log_loss", names, False, groups, Resampling(n=100, seed=1))
    evaluation |= {"rows": {"val": VAL, "test": 1200}}
    decision = _decision(verdict, stopped_by, champion, 1.6, 1.9 if stopped_by == "minimum" else 1.2)
    return _without_money(_story("product_images", contract, decision, evaluation, suspects))


def amounts_story(
    verdict: Verdict = "PROMOTE", *, stopped_by: str = "", champion: bool = False, suspects: tuple[str, ...] = (),
    times: float = 1.0,
) -> Story:  # fmt: skip
    """What customers of a shop will spend; predictions are `times` what is to be expected."""
    rng = np.random.default_rng(1)
    expected = rng.lognormal(3, 1, 2000)
    y = (rng.random(2000) < 0.5) * expected * 2 * rng.gamma(4, 0.25, 2000)
    scores = dict.fromkeys(("linear", "boosted", "deep", "blend"), times * expected)
    part = Labelled(y=y, scores=scores)
    evaluation = amounts.judge(part, part, "gini_norm", {}, Resampling(n=100, seed=1))
    evaluation |= {"rows": {"val": VAL, "test": 2000}}
    decision = _decision(verdict, stopped_by, champion, 0.5, 0.41 if stopped_by == "minimum" else 0.62)
    story = _without_money(_story("customer_value", gallery("customer_value"), decision, evaluation, suspects))
    flow = {stage: {"flow": {"lines": counts["flow"]["main"]}} for stage, counts in _flow().items()}
    flow["featurize"]["cutoffs"] = {"2011-03-14": TRAIN, "2011-09-10": TEST}  # type: ignore[assignment]
    return replace(story, summaries={**story.summaries, **flow})


def both_ways(metric: str) -> dict[str, Any]:
    """Three splits by two sets of columns, as the stage baseline tells them."""
    values = ((0.61, 0.83), (0.72, 0.84), (0.61, 0.58))
    return {
        "metric": metric, "rows": ["time", "random", "entity"], "columns": [[], ["a late column"]], "reported": [0, 0],
        "cells": [[about(value, 0.02) for value in line] for line in values],
    }  # fmt: skip


def _without_money(story: Story) -> Story:
    """Only a list of contacts has a profit to be ruled by."""
    rules = [rule for rule in story.decision["rules"] if rule["name"] != "profit"]
    return replace(story, decision={**story.decision, "rules": rules})


def gallery(name: str) -> Contract:
    return load(Path(str(resources.files("perennial.gallery") / f"{name}.yaml")))


_AUC = {"linear": 0.822, "boosted": 0.831, "deep": 0.829}
_POWERS = {"linear": 0.36, "boosted": 0.33, "deep": 0.34}
_SHARP = {"better": 0.01, "minimum": 0.03, "profit": 900.0, "groups": 0.01}


def _story(
    name: str, contract: Contract, decision: dict[str, Any], evaluation: dict[str, Any], suspects: tuple[str, ...]
) -> Story:
    return Story(
        name=name,
        contract=contract,
        at="2026-06-02 03:15",
        summaries={
            **_flow(),
            "split": {
                "flow": {"units": {"in": 16150, "to": {"out_of_time": 0, "test": TEST, "train": TRAIN, "val": VAL}}},
                "rate": {"test": 0.0758, "train": 0.0707, "val": 0.0755},
                "leakage_suspects": list(suspects),
            },
            "train": {"best_epoch": 11, "epochs": 17},
            "baseline": {"both_ways": None},
            "evaluate": evaluation,
            "explain": _explained(),
        },
        decision=decision,
        history=[{**decision, "number": 1}],
        version=decision["version"],
        curve=[{"epoch": e, "train_loss": 0.2 + 0.2 / e, "val_loss": 0.22 + 0.1 / e} for e in range(1, 18)],
        people=[
            {"row": "row 4763", "score": "44\u202f%", "reasons": f"city: {BAD}; but visits: garden: 0"},
            {"row": "row 2463", "score": "43\u202f%", "reasons": "against: visits: garden: 0"},
        ],
        quarantine=[
            {"reason": f"city: {BAD!r} is not among the values", "source": "customers.csv", "line": 7, "raw": f"7,{BAD}"}
        ],
        quarantined={"cell:signup": 10, f"in_set:{BAD}": 80},
        lineage={
            "commit": "0123456789abcdef", "changed": "false", "code": "d" * 64, "raw": "e" * 32 + ".dir",
            "python": "3.11.15", "cpu": "x86_64 avx2", "version.torch": "2.13.0",
        },
    )  # fmt: skip


def _flow() -> dict[str, Any]:
    """The order of the summaries on disk: keys are sorted there, so test comes before train."""
    main = {
        "ingest": {"in": 20100, "to": {"passed": 20050, "quarantined": 50}},
        "validate": {"in": 20050, "to": {"passed": 20010, "quarantined": 40}},
        "clean": {"in": 20010, "to": {"duplicate": 10, "kept": 20000}},
        "featurize": {"in": 20000, "to": {"fed": 16150, "not in unit.where": 3850}},
    }
    return {stage: {"flow": {"main": counts}} for stage, counts in main.items()}


def _explained() -> dict[str, Any]:
    return {
        "completeness_error": 0.0,
        "spread": 0.9,
        "importance": [{"label": label} for label in ("visits: garden", "visits in 90 days")],
        "groups": [
            {
                "column": "visited_garden",
                "effect": 0.669,
                "n": 109,
                "share": 0.27,
                "words": "visits: garden: 2 or more",
            },
            {"column": "city", "effect": -0.386, "n": 73, "share": 0.18, "words": f"city: {BAD}"},
        ],
    }


def _decision(verdict: Verdict, stopped_by: str, champion: bool, minimum: float, value: float) -> dict[str, Any]:
    """The record of a decision whose rules all passed but for `stopped_by`."""
    state = {"PROMOTE": "ok", "HOLD": "holds", "REJECT": "rejects"}[verdict]

    def rule(name: str, line: float, good: float) -> dict[str, Any]:
        stopped = name == stopped_by
        reach = 0.003 if name == "minimum" and minimum == 0 else _SHARP[name]
        undecided = stopped and (name, verdict) == ("better", "HOLD")
        bad = value if name == "minimum" else line if undecided else line - 2 * reach
        found = about(bad if stopped else good, reach)
        words = f"{name}: from {found['low']:.3f} to {found['high']:.3f}"
        return {"name": name, "words": words, "state": state if stopped else "ok", "interval": found, "line": line}

    rules = [rule("minimum", minimum, value)]
    if stopped_by == "comparable":
        words = "not comparable: the model in use has trained on 12 of these test rows"
        rules = [{"name": "comparable", "words": words, "state": state, "interval": None, "line": None}, *rules]
    elif stopped_by in {"rolled back", "lottery"}:
        words = {
            "rolled back": "this version was rolled back (it sold too much)",
            "lottery": "the groups were hardly drawn by lot (p 0.00004)",
        }[stopped_by]
        rules = [{"name": stopped_by, "words": words, "state": state, "interval": None, "line": None}]
    elif champion:
        rules = [rule("better", 0.0, 0.02), *rules, rule("profit", 0.0, 1200), rule("groups", 0.0, 0.015)]
    else:
        words = "no model is in use, so there is none to be better than"
        rules = [{"name": "better", "words": words, "state": "info", "interval": None, "line": None}, *rules]
    assert not stopped_by or any(told["state"] == state for told in rules), f"no rule {stopped_by} without a champion"
    reasons = [told["words"] for told in rules if told["state"] == state]
    return {
        "verdict": verdict, "version": "4", "family": "linear", "digest": "f" * 64, "reasons": reasons, "rules": rules,
        "champion": CHAMPION if champion else None, "at": "2026-06-02 03:14:00",
    }  # fmt: skip


def _response_family(auc: float) -> dict[str, Any]:
    return {
        "test": {
            "auc": about(auc, 0.025),
            "ap": about(0.31, 0.05),
            "log_loss": about(0.217, 0.01),
            "brier": about(0.061, 0.002),
            "normalised_entropy": about(0.81, 0.02),
            "lift_10": 4.0,
        }
    }


def _calibration() -> dict[str, Any]:
    bins = [
        {
            "left": left / 20,
            "right": left / 20 + 0.05,
            "predicted": left / 20 + 0.02,
            "n": n,
            "observed": about(seen, 0.01),
        }
        for left, n, seen in ((0, 1848, 0.019), (1, 619, 0.073), (2, 400, 0.13), (5, 90, 0.25))
    ]
    return {
        "bins": bins, "width": 0.05, "value": 0.0069, "perfect": 0.0152, "predicted_over_actual": about(1.02, 0.06),
    }  # fmt: skip


def _profit(everyone: float) -> dict[str, Any]:
    plans = (
        ("chosen", 1313, about(5814, 1070)),
        ("whole budget", 1313, about(5814, 1070)),
        ("random", 1313, about(everyone * 0.4, 760)),
        ("everyone", TEST, about(everyone, 1190)),
        ("nobody", 0, about(0, 0)),
    )
    return {
        "budget_share": 0.4,
        "cost": 2.0,
        "value": 40.0,
        "depth": 0.4,
        "curve": _band(lambda d: 5814 * math.sin(math.pi / 2 * min(d / 0.4, 1)) - 2420 * max(d - 0.4, 0) / 0.6, 1070),
        "plans": [
            {"name": name, "contacted": contacted, "customers": TEST, "profit": found}
            for name, contacted, found in plans
        ],
    }


def _message(name: str, gain: float, clear: bool) -> dict[str, Any]:
    tenths = [{"n": 246, "predicted": i / 100, "observed": about((i - 4) / 50, 0.06)} for i in range(10)]
    by_effect, by_response = about(0.012 if clear else 0.001, 0.004), about(0.004 if clear else 0.013, 0.005)
    rank_by = "effect" if gain > 0 and clear else "response" if not clear else "neither"
    return {
        "name": name, "effect": about(0.03, 0.01), "by_effect": by_effect, "by_response": by_response,
        "gain": about(gain, 0.006), "rank_by": rank_by, "tenths": tenths, "predicted": 0.03,
    }  # fmt: skip


def _lottery(*, fair: bool) -> dict[str, Any]:
    told = None if fair else f"the groups differ in {BAD}, known before"
    columns = [
        {"column": name, "p": p, "gaps": [0.01, -0.04], "chance": 0.05} for name, p in (("city", 0.03), ("age", 0.4))
    ]
    return {
        "least_p": 0.03 if fair else 0.00004, "expected_least_p": 0.0018, "rows": [4050, 7950, 8000], "columns": columns,
        "planned": [0.2, 0.4, 0.4], "ratio_p": 0.61, "unfair": told,
    }  # fmt: skip


def _band(height: Callable[[float], float], reach: float) -> dict[str, list[float]]:
    value = [height(d) for d in DEPTHS]
    ends = {"low": -reach, "high": reach}
    return {"x": DEPTHS, "value": value} | {
        end: [v + by * math.sqrt(d * (1.2 - d)) for v, d in zip(value, DEPTHS, strict=True)] for end, by in ends.items()
    }
