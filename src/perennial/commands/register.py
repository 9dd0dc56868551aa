"""`perennial register NAME`: show the results in MLflow and register the candidate's bundle, once per digest."""

from __future__ import annotations

from perennial.commands.arguments import UseCase
from perennial.files.project import Project
from perennial.promotion.register import register

EXAMPLE = "perennial register ad_response"


def main(name: UseCase = "") -> None:
    register(Project.here(), name)
