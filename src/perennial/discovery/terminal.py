"""Terminal: at most three questions, on one screen, to the person who describes a file."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from perennial.discovery.draft import Answers
from perennial.discovery.questions import MAX_QUESTIONS, Question
from perennial.errors import PerennialError

T = TypeVar("T")
_TICK_S = 0.2


class Terminal:
    """Somebody who is asked at most MAX_QUESTIONS questions."""

    def __init__(self) -> None:
        self._asked = 0

    @property
    def left(self) -> int:
        return MAX_QUESTIONS - self._asked

    def show(self, lines: Iterable[str]) -> None:
        for line in lines:
            print(line)  # noqa: T201 - to the person

    def screen(self, questions: Sequence[Question]) -> list[Question]:
        """Shows, and gives back, all that there is still room for, with their evidence; how else to say the others."""
        if questions and not self._asked:
            self.show(["", "Enter takes what stands in [ ]."])
        for number, question in enumerate(questions[: self.left], start=self._asked + 1):
            self.show([f"{number}. {question.text}", *(f"     {line}" for line in question.evidence)])
        self.show(f"not asked, {question.option} says it: {question.text}" for question in questions[self.left :])
        return list(questions[: self.left])

    def answer(self, question: Question, answers: Answers, use: Callable[[Answers], T]) -> tuple[Answers, T]:
        """The answers with this one, and what `use` makes of them."""

        def taken(said: str) -> tuple[Answers, T]:
            extended = question.apply(said, answers) if said else answers
            return extended, use(extended)

        return self.reply("", question.default, taken)

    def reply(self, asks: str, default: str, use: Callable[[str], T]) -> T:
        """What `use` makes of what is said, empty where the default is taken. What fits nothing is asked again."""
        while True:
            said = read_line(f"{self._asked + 1}> {asks}[{default}] ").strip()
            try:
                result = use(said)
            except PerennialError as error:
                if not said:
                    raise
                self.show([str(error)])
                continue
            self._asked += 1
            return result


def read_line(prompt: str) -> str:
    """What is typed until Enter; empty at the end of the input.

    Ctrl-C may be told to another thread than this one, which a blocking read would never learn: so it waits in ticks.
    """
    print(prompt, end="", flush=True)  # noqa: T201 - to the person
    while not select.select([sys.stdin], [], [], _TICK_S)[0]:
        pass
    return sys.stdin.readline()
