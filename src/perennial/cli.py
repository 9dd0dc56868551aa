"""Command line: the table of commands, by name, so that `perennial --help` loads none of them."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback

from perennial import __version__
from perennial.errors import PerennialError
from perennial.files import logs

_COMMANDS = {
    "run": "the main job: whatever is stale, then register, promote, score and report",
    "list": "the use cases of this project and of the gallery",
    "show": "what is known of a use case, as words or as JSON",
    "open": "open the report of a use case in a browser",
    "init": "begin a project of your own, or render its graph anew",
    "new": "look at a file of your own and propose a contract for it",
    "add": "add a use case of the gallery to this project",
    "fetch": "fetch raw data anew",
    "quarantine": "list, show or replay the rows that were set aside",
    "learning-curve": "whether more data would help, and whether deep learning is worth it",
    "tune": "search for better params, with the same budget for deep and traditional",
    "register": "put the candidate into the registry",
    "promote": "compare the candidate with the champion and decide",
    "compare": "hold this checkout's candidate against another checkout's",
    "rollback": "make an earlier version the champion again",
    "history": "the decisions so far",
    "score": "score a file",
    "audience": "the list for a campaign, with a control group held back",
    "outcome": "what a campaign changed, and whether it paid",
    "report": "write the report anew",
    "serve": "run the scheduled flows of this project",
    "ui": "open MLflow and Prefect over what the runs left",
    "stop": "stop the Prefect server of this project",
    "graph": "show, check or write dvc.yaml",
}


def main() -> None:
    """The entry point; ends with the exit codes that errors.py promises."""
    sys.exit(run(sys.argv[1:]))


def run(words: list[str]) -> int:
    """Carry out a command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="perennial", description="From customer data to a model that can be trusted.")
    parser.add_argument("--version", action="version", version=__version__, help="say which version this is")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    chosen = next((word for word in words if word in _COMMANDS), None)
    for name, purpose in _COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
        if name == chosen:
            _command(name).configure(command)
    args = parser.parse_args(words)
    if args.command is None:
        parser.print_help()
        return 0
    logs.start_logging("%(message)s", sys.stderr)
    return _carry_out(args)


def _carry_out(args: argparse.Namespace) -> int:
    try:
        code: int = _command(args.command).main(args)
    except PerennialError as error:
        return _fail(args, str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail(args, "stopped", 130)
    except BrokenPipeError:
        return 141
    except OSError as error:
        if error.filename is None:  # no path of a user's: a bug
            raise
        return _fail(args, f"{error.filename}: {str(error.strerror).lower()}", 2)
    return code


def _fail(args: argparse.Namespace, words: str, code: int) -> int:
    """One line, and the traceback of the error at hand where it is asked for."""
    if args.debug or os.environ.get("PERENNIAL_DEBUG"):
        traceback.print_exc()
    print(f"perennial: {words}", file=sys.stderr)
    return code


def _command(name: str):  # type: ignore[no-untyped-def]
    return importlib.import_module(f"perennial.commands.{name.replace('-', '_')}")
