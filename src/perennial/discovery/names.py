"""A column's name says what it speaks of: people, rows, contact data, what the law protects, what comes later.

The words are in keywords.yaml. Most are looked for in the name read as words, where `reviewerID`, `Reviewer ID` and
`reviewer_id` say the same.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

Position = Literal["word", "last_word", "before_name", "whole", "end", "part", "separated", "cased_end"]
Topics = dict[str, dict[Position, tuple[str, ...]]]

_TEMPLATES: dict[Position, str] = {
    "word": r"(?:\A|_)(?:{})(?:_|\Z)",
    "last_word": r"(?:\A|_)(?:{})\Z",
    "before_name": r"(?:\A|_)(?:{})_?name\Z",
    "whole": r"\A(?:{})\Z",
    "end": r"(?:{})\Z",
    "part": r"(?:{})",
    "separated": r"(?:\A|_|\b)(?:{})(?:\Z|_|\b)",
    "cased_end": r"(?-i:(?:{})\Z)",
}
_ENDS_IN_ID = re.compile(r"[a-z]{2,}id\Z")  # memberid; but no word that ends so


class Keywords(BaseModel):
    """What keywords.yaml holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    null_tokens: frozenset[str]
    spoken_nulls: frozenset[str]
    event_values: frozenset[str]
    other_values: frozenset[str]
    yes_values: frozenset[str]
    negating_prefixes: tuple[str, ...]
    split_values: dict[str, str]
    word_topics: Topics
    name_topics: Topics


@cache
def load_keywords() -> Keywords:
    """The keyword lists, read once."""
    text = files("perennial.discovery").joinpath("keywords.yaml").read_text(encoding="utf-8")
    return Keywords.model_validate(yaml.safe_load(text))


def find_keyword(name: str, topic: str) -> str:
    """The part of a name that speaks of a topic of keywords.yaml; empty where none does."""
    pattern, is_of_words = _compile_topic(topic)
    match = pattern.search(split_words(name) if is_of_words else name)
    return match[0] if match is not None else ""


def has_topic(name: str, topic: str) -> bool:
    """Whether a name speaks of a topic of keywords.yaml."""
    return find_keyword(name, topic) != ""


def remove_keyword(name: str, topic: str) -> str:
    """The rest of a name without what speaks of a topic, its words joined by underscores."""
    return re.sub(r"[\W_]+", "_", _compile_topic(topic)[0].sub("", name)).strip("_")


@cache
def _compile_topic(topic: str) -> tuple[re.Pattern[str], bool]:
    """The pattern of a topic, and whether it is one of names that are read as words."""
    keywords = load_keywords()
    is_of_words = topic in keywords.word_topics
    positions = keywords.word_topics[topic] if is_of_words else keywords.name_topics[topic]
    text = "|".join(_TEMPLATES[position].format("|".join(words)) for position, words in positions.items())
    return re.compile(text, re.NOFLAG if is_of_words else re.IGNORECASE), is_of_words


def split_words(name: str) -> str:
    """`Last Activity`, `lastActivity` and `last-activity` as `last_activity`; accents are taken off."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode() or name
    parted = re.sub(r"(?<=\AID)(?=[a-z])|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?<!\AI)(?=[A-Z][a-z])", "_", plain)
    return re.sub(r"[\W_]+", "_", parted).strip("_").lower()


def is_row_id(name: str) -> bool:
    """An id, a number, a key."""
    ends_in_id = _ENDS_IN_ID.search(split_words(name)) is not None and not has_topic(name, "not_an_id")
    return ends_in_id or has_topic(name, "row_id")


def is_entity_id(name: str) -> bool:
    """Which person or account it is, and not what is said or counted of them."""
    return (has_topic(name, "person") and is_row_id(name)) or has_topic(name, "person_alone")


def is_contact_name(name: str) -> bool:
    """Where somebody can be reached or charged; not which kind of telephone it is, or how often it rang."""
    return has_topic(name, "contact") and not has_topic(name, "about_contact")


def may_name_person(name: str) -> bool:
    """What somebody is called, or another thing is."""
    return has_topic(name, "person_name") or has_topic(name, "maybe_person")


def is_outcome(name: str) -> bool:
    """Something that one would predict."""
    return find_outcome_word(name) != ""


def find_outcome_word(name: str) -> str:
    """The word in a name that speaks of an outcome, in lower case."""
    return (find_keyword(name, "outcome") or find_keyword(name, "outcome_word")).lower()


def is_extension_of(name: str, other: str) -> bool:
    """Whether a name is that of another column with more words behind it."""
    return split_words(name).startswith(split_words(other) + "_")
