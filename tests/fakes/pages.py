"""A report page as a reader finds it: its verdict, and the figures and checks of each section."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from xml.etree import ElementTree

from perennial.report.context import AnyReport
from perennial.report.pages.compose import compose

Node = ElementTree.Element


def read_report(report: AnyReport) -> ReadPage:
    return read_page(compose(report)[0])


def read_page(page: str) -> ReadPage:
    main = re.search(r"<main>.*</main>", page, re.DOTALL)
    assert main is not None
    return ReadPage(ElementTree.fromstring(re.sub(r"(<img [^>]*)>", r"\1/>", main[0])))


@dataclass(frozen=True)
class Found:
    node: Node

    def text(self, path: str) -> str:
        found = self.node.find(path)
        return "" if found is None else words_of(found)

    def all(self, path: str) -> list[str]:
        return [words_of(node) for node in self.node.findall(path)]


class ReadFigure(Found):
    """A figure, a table, a matrix or rows of customers, with its caption."""

    @property
    def finding(self) -> str:
        return self.text("figcaption/b")

    @property
    def described(self) -> str:
        return self.text("figcaption/span")

    @property
    def foot(self) -> str:
        return self.text("p[@class='foot']")

    @property
    def drawings(self) -> list[str]:
        return [ElementTree.tostring(node, encoding="unicode") for node in self.node.iter("svg")]

    @property
    def heads(self) -> list[str]:
        return self.all(".//thead/tr/th")

    @property
    def rows(self) -> list[list[str]]:
        """The cells of each row; an estimate is followed by its interval."""
        return [[words_of(cell) for cell in row] for row in self.node.findall(".//tbody/tr")]

    @property
    def chosen(self) -> list[str]:
        return self.all(".//tr[@class='chosen']/th")

    @property
    def shades(self) -> list[list[str]]:
        return [[cell.get("class", "plain") for cell in row.findall("td")] for row in self.node.findall(".//tbody/tr")]

    def items(self, kind: str) -> list[list[str]]:
        """The parts of each item of a list of that class."""
        return [[words_of(part) for part in item] for item in self.node.findall(f".//ul[@class='{kind}']/li")]


@dataclass(frozen=True)
class ReadCheck:
    question: str
    detail: str
    value: str
    interval: str


class ReadSection(Found):
    @property
    def figures(self) -> list[ReadFigure]:
        return [ReadFigure(node) for node in self.node.iter("figure")]

    @property
    def checks(self) -> list[ReadCheck]:
        checks = []
        for item in self.node.findall(".//ul[@class='checks']/li"):
            found = Found(item)
            question, detail = found.text("span[@class='q']"), found.text("span[@class='q']/small")
            value, interval = found.text("span[@class='val']"), found.text("span[@class='val']/span")
            checks.append(
                ReadCheck(question.removesuffix(detail).strip(), detail, value.removesuffix(interval).strip(), interval)
            )
        return checks

    def figure(self, start: str) -> ReadFigure:
        """The figure whose finding holds these words."""
        return next(figure for figure in self.figures if start in figure.finding)

    def has(self, words: str) -> bool:
        return any(words in figure.finding for figure in self.figures)


class ReadPage(ReadSection):
    @cached_property
    def headline(self) -> str:
        return self.text(".//h1")

    @cached_property
    def what_to_do(self) -> str:
        return self.text(".//p[@class='todo']")

    @cached_property
    def standing(self) -> str:
        return self.text(".//div[@class='standing']/span[2]")

    @cached_property
    def caution(self) -> str:
        return self.text(".//div[@class='caution']/p")

    @cached_property
    def strong(self) -> str:
        """The words of the caution that weigh most."""
        return self.text(".//div[@class='caution']/p/b")

    @cached_property
    def picture(self) -> ReadFigure:
        return self.figures[0]

    @cached_property
    def keys(self) -> list[tuple[str, str, str]]:
        """Name, value and note of the four key figures."""
        keys = [tuple(words_of(part) for part in key) for key in self.node.findall(".//dl[@class='keys']/div")]
        return [(name, value, note) for name, value, note in keys]

    @cached_property
    def sections(self) -> dict[str, ReadSection]:
        return {str(node.get("id")): ReadSection(node) for node in self.node.iter("section")}


def words_of(node: Node) -> str:
    return re.sub(r"[ \n]+", " ", "".join(node.itertext())).strip()
