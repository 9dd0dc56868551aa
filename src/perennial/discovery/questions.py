"""Questions are what only a person can say of a draft: each has its evidence, and what is taken where nothing is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from perennial.discovery.draft import Answers, Draft
from perennial.errors import ConfigError

MAX_QUESTIONS = 3  # that a person is asked
_MAX_OTHERS = 4  # candidates for the outcome that stand beside it
_RARER = "that it is the event, only its being rarer hints at"


@dataclass(frozen=True, kw_only=True)
class Question:
    """`apply` adds a reply to the answers so far; it raises ConfigError for one that fits nothing."""

    text: str
    apply: Callable[[str, Answers], Answers]
    option: str  # that says it too
    evidence: tuple[str, ...] = ()
    default: str = ""


def build_questions(draft: Draft, answers: Answers, candidates: Sequence[str]) -> list[Question]:
    """What to predict; which suspects are known in time; who was treated, or what a contact costs and a response earns.

    What the answers say already is not asked. `candidates` for the outcome are described in a line each.
    """
    return [*_ask_outcome(draft, answers, candidates), *_ask_suspects(draft), *_ask_worth(draft, answers)]


def ask_target(candidates: Sequence[str]) -> Question:
    """Where no column stands out."""
    return Question(
        text="What do you want to predict? (a column, or COLUMN = EVENT)",
        option="--target",
        evidence=tuple(candidates),
        default="nothing: no use case is made",
        apply=_apply_target,
    )


def ask_date_order(examples: Sequence[str]) -> Question:
    """Of dates whose order no cell proves."""
    return Question(
        text="Does the day come first in these dates, or the month? (day, month)",
        option="--dates",
        evidence=tuple(examples),
        default="neither: they are left out",
        apply=_apply_date_order,
    )


def _ask_outcome(draft: Draft, answers: Answers, candidates: Sequence[str]) -> list[Question]:
    outcome, has_event = draft.outcome, draft.outcome.event is not None
    if answers.target is not None and (outcome.is_sure or not has_event):
        return []
    others = [f"or {line}" for line in candidates if not line.startswith(f"{outcome.name} (")][:_MAX_OTHERS]
    doubt = [] if outcome.is_sure else [_RARER]

    def apply(reply: str, answers: Answers) -> Answers:
        """A value of the column that is proposed is its event."""
        if reply in draft.table.columns:
            return replace(answers, target=reply, event=None)
        if reply in outcome.values:
            return replace(answers, target=outcome.name, event=reply)
        return _apply_target(reply, answers)

    return [
        Question(
            text=f"What do you want to predict{', and which value is the event' if has_event else ''}? "
            f"(a column{', or COLUMN = EVENT' if has_event else ''})",
            option="--target and --positive" if has_event else "--target",
            evidence=(f"{outcome.name}: {outcome.summary}", *doubt, *others),
            default=f"{outcome.name} = {outcome.event}" if has_event else outcome.name,
            apply=apply,
        )
    ]


def _apply_target(reply: str, answers: Answers) -> Answers:
    column, _, event = (part.strip() for part in reply.partition("="))
    return replace(answers, target=column, event=event or None)


def _apply_date_order(reply: str, answers: Answers) -> Answers:
    if reply not in {"day", "month"}:
        raise ConfigError(f"say day or month, not {reply!r}")
    return replace(answers, first=reply)


def _ask_suspects(draft: Draft) -> list[Question]:
    suspects = draft.suspects
    if not suspects:
        return []

    def apply(reply: str, answers: Answers) -> Answers:
        names = tuple(name.strip() for name in reply.split(",") if name.strip())
        if wrong := [name for name in names if name not in suspects]:
            raise ConfigError(f"{', '.join(wrong)} is none of {', '.join(suspects)}")
        return replace(answers, known=(*answers.known, *names))

    return [
        Question(
            text="Which of these suspiciously good columns are known before you decide? (names with commas)",
            option="--known",
            evidence=tuple(f"{name}: {why}" for name, why in suspects.items()),
            default="none: they are left out, and the report shows both",
            apply=apply,
        )
    ]


def _ask_worth(draft: Draft, answers: Answers) -> list[Question]:
    """Who was treated, where somebody may have been; else what a contact costs and a response earns."""
    if draft.treatment is not None and answers.treatment is None:
        name, control = draft.treatment, draft.columns[draft.treatment].control
        return [
            Question(
                text="Who was treated? (a column, or none)",
                option="--treatment",
                evidence=(f"{name}: {draft.reasons[name]}",),
                default=f"{name}, and {control} was not",
                apply=lambda reply, answers: replace(answers, treatment="" if reply == "none" else reply),
            )
        ]
    if draft.outcome.kind != "binary" or answers.earns is not None:
        return []
    return [
        Question(
            text="What does a contact cost, and what does a response earn? (two numbers)",
            option="--cost and --value",
            default="not known: nothing is reckoned in money",
            apply=_apply_money,
        )
    ]


def _apply_money(reply: str, answers: Answers) -> Answers:
    numbers = re.findall(r"[0-9]+(?:\.[0-9]+)?", reply)
    if len(numbers) != 2 or not float(numbers[1]):
        raise ConfigError(f"say two numbers such as 1.50 40, not {reply!r}")
    return replace(answers, cost=float(numbers[0]), earns=float(numbers[1]))
