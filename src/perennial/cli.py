"""Command line: the table of commands, by name, so that `perennial --help` loads none of them."""

from __future__ import annotations

import functools
import importlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from perennial import __version__
from perennial.errors import PerennialError, describe_os_error
from perennial.files import logs

GROUPS = {
    "Every day": {
        "run": "The main job: whatever is stale, then register, promote, score and report",
        "plan": "Which stages are stale, and what running them is expected to cost",
        "list": "The use cases of this project and of the gallery",
        "show": "What is known of a use case, as words or as JSON",
        "open": "Open the report of a use case in a browser",
        "score": "Score a file",
    },
    "Begin": {
        "init": "Begin a project of your own, or render its graph again",
        "new": "Look at a file of your own and propose a contract for it",
        "add": "Add a use case of the gallery to this project",
        "fetch": "Fetch raw data again",
        "quarantine": "List, show or replay the rows that were set aside",
    },
    "Campaigns": {
        "audience": "The list for a campaign, with a control group held back",
        "outcome": "What a campaign changed, and whether it paid",
    },
    "Studies": {
        "learning-curve": "Whether more data would help, and whether deep learning is worth it",
        "tune": "Search for better params, with the same budget for deep and traditional",
    },
    "Decisions": {
        "register": "Put the candidate into the registry",
        "promote": "Compare the candidate with the champion and decide",
        "compare": "Compare this checkout's candidate with another checkout's",
        "rollback": "Make an earlier version the champion again",
        "history": "The decisions so far",
        "report": "Write the report again",
    },
    "Servers and graph": {
        "serve": "Run the scheduled flows of this project",
        "ui": "Open MLflow and Prefect over what the runs left",
        "env": 'Addresses of MLflow and Prefect for their own commands: eval "$(perennial env)"',
        "stop": "Stop the Prefect server of this project",
        "graph": "Show, check or write dvc.yaml",
    },
}
PURPOSES = {name: purpose for group in GROUPS.values() for name, purpose in group.items()}
_EPILOG = "Exit codes: 0 done · 2 bad input or configuration · 3 refused · 75 busy · 130 stopped · 1 a server, or a bug."


class Stopped(PerennialError):
    """Ctrl-C."""

    exit_code = 130


def main() -> None:
    """The entry point; ends with the exit codes that errors.py promises."""
    sys.exit(run(sys.argv[1:]))


def run(words: list[str]) -> int:
    """Carry out a command line and return its exit code."""
    debug = "--debug" in words or bool(os.environ.get("PERENNIAL_DEBUG"))
    words = [word for word in words if word != "--debug"] or ["--help"]
    logs.start_logging("%(message)s", sys.stderr)
    try:
        code = _to_command(_build_app()).main(words, prog_name="perennial", standalone_mode=False)
    except PerennialError as error:
        return _fail(str(error), error.exit_code, debug=debug)
    except TyperException as error:
        hint = f"; perennial {words[0]} --help shows how" if words[0] in PURPOSES else ""
        message = " ".join(error.format_message().split()).rstrip(".")
        return _fail(f"{message[:1].lower()}{message[1:]}{hint}", 2, debug=debug)
    except OSError as error:
        if (refusal := describe_os_error(error)) is None:
            raise
        return _fail(refusal, 2, debug=debug)
    return int(code or 0)


class _LazyGroup(TyperGroup):
    """Shows every command from the table; imports the module of the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] in PURPOSES:
            self.commands[args[0]] = _load_command(args[0])
        return super().resolve_command(ctx, args)


def _build_app() -> typer.Typer:
    app = typer.Typer(cls=_LazyGroup, callback=_root, help="From customer data to a model that can be trusted.", epilog=_EPILOG)
    for group, commands in GROUPS.items():
        for name, purpose in commands.items():
            app.command(name, help=f"{purpose}.", rich_help_panel=group)(_stub)
    return app


def _stub() -> None:
    """Stands for a command until it is called."""


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(__version__)
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_print_version)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; anywhere in the line.")] = False,
) -> None:
    """Both are dealt with before this is called."""


def _load_command(name: str) -> Any:
    """The command as its module defines it, with its example under its help."""
    module = importlib.import_module(f"perennial.commands.{name.replace('-', '_')}")
    app = typer.Typer(add_completion=False)
    app.command(name, help=f"{PURPOSES[name]}.", epilog=f"Example: {module.EXAMPLE}")(_end_in_order(module.main))
    return _to_command(app)


def _to_command(app: typer.Typer) -> Any:
    """The command of an app, whose flags are shown without the type that Typer gives them."""
    command = typer.main.get_command(app)
    for option in command.params:
        if getattr(option, "is_flag", False):
            option.metavar = ""
    return command


def _end_in_order(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """The command, whose interrupt and closed pipe end with their own exit codes, not with Typer's."""

    @functools.wraps(command)
    def call(**options: Any) -> int | None:
        try:
            return command(**options)
        except KeyboardInterrupt as error:
            raise Stopped("stopped") from error
        except BrokenPipeError:
            return 141

    return call


def _fail(message: str, code: int, *, debug: bool) -> int:
    """One line, and the traceback of the error at hand where it is asked for."""
    if debug:
        traceback.print_exc()
    print(f"perennial: {message}", file=sys.stderr)
    return code
