"""Every page from real results of its task and every verdict: whole, in words, and without a trace of Python."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules

import pytest
from jinja2 import StrictUndefined, UndefinedError, nodes

from perennial import contract, results
from perennial.charts import curves, flows, numbers
from perennial.report import context, page, pages
from perennial.report.context import AnyReport
from perennial.report.page import environment, render
from perennial.report.pages.compose import compose
from perennial.results.evaluations import Evaluation
from tests.fakes.reports import (
    alerts_report,
    amounts_report,
    churn_report,
    classes_report,
    loans_report,
    photos_report,
    response_report,
    segments_report,
    spend_report,
    texts_report,
    uplift_report,
    with_other_splits,
)

pytestmark = pytest.mark.unit

TASKS: dict[str, tuple[Callable[..., AnyReport], tuple[str, str]]] = {
    "contacts": (response_report, ("improvement", "minimum")),
    "orders": (churn_report, ("improvement", "minimum")),
    "loans": (loans_report, ("improvement", "minimum")),
    "alerts": (alerts_report, ("improvement", "minimum")),
    "classes": (classes_report, ("improvement", "minimum")),
    "amounts": (amounts_report, ("improvement", "minimum")),
    "messages": (uplift_report, ("improvement", "minimum")),
    "segments": (segments_report, ("label_retention", "stability")),
    "members": (partial(segments_report, name="member_segments"), ("rolled_back", "stability")),
}
REPORTS: dict[str, Callable[[], AnyReport]] = {
    **{f"{name} PROMOTE": make for name, (make, _) in TASKS.items()},
    **{f"{name} better": partial(make, champion=True) for name, (make, _) in TASKS.items()},
    **{f"{name} HOLD": partial(make, "HOLD", stopped_by=rule, champion=True) for name, (make, (rule, _)) in TASKS.items()},
    **{f"{name} REJECT": partial(make, "REJECT", stopped_by=rule) for name, (make, (_, rule)) in TASKS.items()},
    "spend PROMOTE": spend_report,
    "texts PROMOTE": lambda: with_other_splits(texts_report()),
    "photos PROMOTE": photos_report,
}
TRACES = r"\bNone\b|\bnan\b|\binf\b|RuleName|RuleState|Verdict|\w\(value=|Interval\(|Decimal\(|object at 0x|<\w+\.[A-Z]"
EVERY = pytest.mark.parametrize("name", REPORTS)


@cache
def composed(name: str) -> tuple[str, str]:
    return compose(REPORTS[name]())


def visible(page: str) -> str:
    """What a reader can read: texts, what drawings are called, and what is said of photos."""
    body = page.split("</style>")[1].replace('<th scope="col">Verdict</th>', "")  # a column of decisions
    labels = " ".join(re.findall(r'(?:aria-label|alt)="([^"]*)"', body))
    return html.unescape(re.sub(r"<[^>]+>", " ", body) + " " + labels)


@EVERY
def test_no_trace_of_python_is_on_the_page(name: str) -> None:
    page, headline = composed(name)
    for text in (visible(page), headline):
        assert re.search(TRACES, text) is None
        assert re.search(r"\d{9}(?!\d)", re.sub(r"[0-9a-f]{12,}", "", text)) is None, "a figure without commas, or huge"


@EVERY
def test_a_verdict_has_its_chip_its_standing_and_its_rules(name: str) -> None:
    report, (page, _) = REPORTS[name](), composed(name)
    sign = {"PROMOTE": "Passed", "HOLD": "Undecided", "REJECT": "Failed"}[report.verdict]
    chip = re.search(r'<span class="chip \w+">.*?aria-label="(\w+)".*?</svg>\s*(\w+)</span>', page, re.S)
    assert chip is not None
    assert chip.groups() == (sign, report.verdict)
    assert page.count('<span class="q">') >= len(report.decision.rules)
    stopped = [rule for rule in report.decision.rules if rule.state in {"hold", "reject"}]
    assert bool(stopped) == (report.verdict != "PROMOTE")


def test_the_reports_are_of_every_task_and_verdict() -> None:
    evaluations = {type(make().evaluation) for make in REPORTS.values()}
    assert evaluations == set(Evaluation.__args__)
    assert {make().verdict for make in REPORTS.values()} == {"PROMOTE", "HOLD", "REJECT"}


def fields_of(kind: type) -> set[str]:
    return {*dir(kind), *getattr(kind, "__annotations__", {}), *getattr(kind, "__dataclass_fields__", {})}


def test_what_templates_read_is_there() -> None:
    """What mypy cannot see: a renamed field must not be left behind in a branch that no page of these tests takes."""
    modules = [context, page, numbers, curves, flows]
    for package in (pages, results, contract):
        modules += [import_module(f"{package.__name__}.{module.name}") for module in iter_modules(package.__path__)]
    known = {"index0", "first", "last", *vars(numbers)}  # of loops, and formats
    for kind in (value for module in modules for value in vars(module).values() if isinstance(value, type)):
        known |= fields_of(kind)
    read: set[str] = set()
    for path in files("perennial.report.templates").iterdir():
        if path.name.endswith(".j2"):
            template = environment().parse(path.read_text(encoding="utf-8"))
            known |= {macro.name for macro in template.find_all(nodes.Macro)}
            read |= {attribute.attr for attribute in template.find_all(nodes.Getattr)}
    assert len(read) > 200
    assert read - known == set()
    assert environment().undefined is StrictUndefined


def test_a_page_that_lacks_a_value_is_not_rendered() -> None:
    with pytest.raises(UndefinedError, match="'action' is undefined"):
        render("contacts.html.j2")
