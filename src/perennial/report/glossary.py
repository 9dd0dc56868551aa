"""Glossary: what the words of a page mean, in a sentence each."""

from __future__ import annotations

import re
from collections.abc import Mapping

GLOSSARY: Mapping[str, str] = {
    "95 % interval": "Where the true figure lies in 19 of 20 such measurements; written as [low, high].",
    "AUC": "How often a row with the outcome gets a higher score than one without; guessing gives 0.5, perfect is 1.",
    "AP": "Average precision: the mean share of hits among the best rows, at every depth; guessing gives the share of all.",
    "Accuracy": "The share of rows whose likeliest class is the right one.",
    "Agreement": "How far two groupings of the same customers match (adjusted Rand index); chance gives 0, identical ones 1.",
    "Brier": "The mean squared gap between the predicted probability and what happened; lower is better.",
    "Candidate": "The model that this page is about; the champion is the one in use.",
    "Champion": "The registered version that is in use.",
    "Confusion": "How many rows of each true outcome were taken for which.",
    "Gini": "How well amounts are ranked; guessing gives 0, the best possible order 1.",
    "KS": "The widest gap between the shares of payers and of defaulters below the same score.",
    "Log loss": "The mean penalty for being sure and wrong; lower is better.",
    "Mean abs. error": "The mean gap between the predicted and the actual amount.",
    "Mean F1": "The mean over classes of what is found and what is right about it, as one figure.",
    "Norm. entropy": "Log loss, divided by that of telling everyone the mean: under 1 is better than that.",
    "Placebo": "The same measurement with the groups shuffled, which should find nothing.",
    "Precision": "The share of those picked that turn out right.",
    "Qini": "How much more the best by predicted effect respond than as many at random, compared with a control group.",
    "Quarantined": "Set aside with its reason and its line in the file; never deleted, and it can be brought back.",
    "Recall": "The share of all hits that are among those picked.",
    "ROC": "The share of hits found against the share of others taken for hits, at every threshold.",
    "Test": "Rows that were looked at once, at the end; train taught the model, validation chose among models.",
    "Uplift": "What a message changes, compared with no message; only a control group can show it.",
}


def find_words(page: str) -> list[tuple[str, str]]:
    """The words that stand on a page, with their meanings, in the order of the alphabet."""
    text = re.sub(r"<style.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL).replace("\u202f", " ")
    return [(word, meaning) for word, meaning in GLOSSARY.items() if re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE)]
