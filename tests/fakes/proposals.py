"""What `perennial new` proposes for a file, without a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from perennial.actions.new import Proposal, propose
from perennial.contract.model import Contract, parse
from perennial.propose.draft import Answers


def proposed(path: Path, **answers: Any) -> tuple[Proposal, Contract]:
    """The proposal, and its contract as it is read back."""
    made = propose("shop", [path], Answers(**answers))
    return made, parse(yaml.safe_load(made.contract), "shop")
