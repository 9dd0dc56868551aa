"""A draft in, what only a person can say of it out: questions with their evidence, and what is taken where nothing is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from perennial.errors import ConfigError
from perennial.propose.draft import Answers, Draft

MOST = 3  # that a person is asked
_OTHERS = 4  # candidates for the outcome that stand beside it
_RARER = "that it is the event, only its being rarer hints at"


@dataclass(frozen=True, kw_only=True)
class Question:
    """`takes` makes of what was said, and the answers so far, the answers with it (ConfigError where it fits nothing)."""

    asks: str
    takes: Callable[[str, Answers], Answers]
    option: str  # that says it too
    evidence: tuple[str, ...] = ()
    default: str = ""


def questions(made: Draft, answers: Answers, candidates: Sequence[str]) -> list[Question]:
    """What to predict; which suspects are known in time; who was treated, or what a contact costs and a response earns.

    What the answers say already is not asked. `candidates` for the outcome are told in a line each.
    """
    return [*_outcome(made, answers, candidates), *_suspects(made), *_worth(made, answers)]


def which_outcome(candidates: Sequence[str]) -> Question:
    """Where no column stands out."""
    return Question(
        asks="What do you want to predict? (a column, or COLUMN = EVENT)", option="--target",
        evidence=tuple(candidates), default="nothing: no use case is made", takes=_target,
    )  # fmt: skip


def day_or_month(examples: Sequence[str]) -> Question:
    """Of dates whose order no cell proves."""
    return Question(
        asks="Does the day come first in these dates, or the month? (day, month)", option="--dates",
        evidence=tuple(examples), default="neither: they are left out", takes=_first,
    )  # fmt: skip


def _outcome(made: Draft, answers: Answers, candidates: Sequence[str]) -> list[Question]:
    found, two = made.outcome, made.outcome.event is not None
    if answers.target is not None and (found.sure or not two):
        return []
    others = [f"or {line}" for line in candidates if not line.startswith(f"{found.name} (")][:_OTHERS]
    return [
        Question(
            asks=f"What do you want to predict{', and which value is the event' if two else ''}? "
            f"(a column{', or COLUMN = EVENT' if two else ''})",
            option="--target and --positive" if two else "--target",
            evidence=(f"{found.name}: {found.words}", *([] if found.sure else [_RARER]), *others),
            default=f"{found.name} = {found.event}" if two else found.name,
            takes=lambda said, answers: _named(said, answers, made),
        )
    ]


def _named(said: str, answers: Answers, made: Draft) -> Answers:
    """A value of the column that is proposed is its event."""
    if said in made.outcome.values and said not in made.looked.columns:
        return replace(answers, target=made.outcome.name, event=said)
    return _target(said, answers) if said not in made.looked.columns else replace(answers, target=said, event=None)


def _target(said: str, answers: Answers) -> Answers:
    column, _, event = (part.strip() for part in said.partition("="))
    return replace(answers, target=column, event=event or None)


def _first(said: str, answers: Answers) -> Answers:
    if said not in {"day", "month"}:
        raise ConfigError(f"say day or month, not {said!r}")
    return replace(answers, first=said)


def _suspects(made: Draft) -> list[Question]:
    if not made.suspects:
        return []
    return [
        Question(
            asks="Which of these suspiciously good columns are known before you decide? (names with commas)",
            option="--known",
            evidence=tuple(f"{name}: {why}" for name, why in made.suspects.items()),
            default="none: they are left out, and the report shows both",
            takes=lambda said, answers: _known(said, answers, made),
        )
    ]


def _known(said: str, answers: Answers, made: Draft) -> Answers:
    names = tuple(name.strip() for name in said.split(",") if name.strip())
    if wrong := [name for name in names if name not in made.suspects]:
        raise ConfigError(f"{', '.join(wrong)} is none of {', '.join(made.suspects)}")
    return replace(answers, known=(*answers.known, *names))


def _worth(made: Draft, answers: Answers) -> list[Question]:
    if made.treatment is not None and answers.treatment is None:
        treated = made.columns[made.treatment]
        return [
            Question(
                asks="Who was treated? (a column, or none)",
                option="--treatment",
                evidence=(f"{made.treatment}: {made.why[made.treatment]}",),
                default=f"{made.treatment}, and {treated['control']} was not",
                takes=lambda said, answers: replace(answers, treatment="" if said == "none" else said),
            )
        ]
    if made.outcome.kind != "binary" or answers.earns is not None:
        return []
    return [
        Question(
            asks="What does a contact cost, and what does a response earn? (two numbers)",
            option="--cost and --value",
            default="not known: nothing is reckoned in money",
            takes=_money,
        )
    ]


def _money(said: str, answers: Answers) -> Answers:
    numbers = re.findall(r"[0-9]+(?:\.[0-9]+)?", said)
    if len(numbers) != 2 or not float(numbers[1]):
        raise ConfigError(f"say two numbers such as 1.50 40, not {said!r}")
    return replace(answers, cost=float(numbers[0]), earns=float(numbers[1]))
