"""What `perennial new` proposes for a file, without a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from perennial.contract.load import parse
from perennial.contract.model import Contract
from perennial.discovery.draft import Answers
from perennial.discovery.proposal import Proposal, propose


def proposed(path: Path, **answers: Any) -> tuple[Proposal, Contract]:
    """The proposal, and its contract as it is read back."""
    made = propose("shop", [path], Answers(**answers))
    return made, parse(yaml.safe_load(made.contract), "shop")
