"""What the command line promises: words, exit codes, one line for an error, a traceback only when asked for."""

from __future__ import annotations

import argparse
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from perennial import __version__, cli, errors
from perennial.errors import PerennialError

pytestmark = pytest.mark.unit

CODES = {
    "PerennialError": 1,
    "InputError": 2,
    "DataStopped": 2,
    "ContractError": 2,
    "ConfigError": 2,
    "IntegrityError": 2,
    "Refused": 3,
    "LeakError": 3,
    "Busy": 75,
    "ServiceError": 1,
    "ConservationError": 1,
}


def family(root: type[PerennialError]) -> Iterator[type[PerennialError]]:
    yield root
    for child in root.__subclasses__():
        yield from family(child)


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """`perennial stop`, whose action ends as told; the exit code of the process."""
    monkeypatch.delenv("PERENNIAL_DEBUG", raising=False)

    def run(end: BaseException | int, *words: str) -> int:
        def main(args: argparse.Namespace) -> int:
            if isinstance(end, BaseException):
                raise end
            return end

        monkeypatch.setattr(action("stop"), "main", main)
        monkeypatch.setattr(sys, "argv", ["perennial", "stop", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert isinstance(left.value.code, int)
        return left.value.code

    return run


def action(name: str) -> Any:
    with warnings.catch_warnings():  # libraries that import what Python has deprecated
        warnings.simplefilter("ignore")
        return cli._command(name)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.run(["--help"])
    said = capsys.readouterr().out
    assert left.value.code == 0
    by_name = [name for name in cli._COMMANDS if f"\n    {name} " in said or f"\n    {name}\n" in said]
    assert by_name == list(cli._COMMANDS)
    assert cli.run([]) == 0
    assert capsys.readouterr().out == said


def test_every_command_is_a_module_and_every_module_a_command() -> None:
    folder = Path(str(cli.__file__)).parent / "commands"
    worded = {path.stem for path in folder.glob("*.py") if "def configure(" in path.read_text()}
    assert worded == {name.replace("-", "_") for name in cli._COMMANDS}


def test_each_commands_help_names_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    commands = arguments = 0
    for name in cli._COMMANDS:
        bare = argparse.ArgumentParser(add_help=False)
        action(name).configure(bare)
        with pytest.raises(SystemExit) as left:
            cli.run([name, "--help"])
        said = capsys.readouterr().out
        assert left.value.code == 0
        assert said.startswith(f"usage: perennial {name} ")
        for document in bare._actions:
            assert (document.option_strings or [document.dest])[0] in said, (name, document.dest)
            assert document.help, (name, document.dest)
            arguments += 1
        commands += 1
    assert commands == len(cli._COMMANDS)
    assert arguments >= 30


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.run(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize(
    "words", [["score", "shop", "--input", "a.csv", "--output", "b.csv"], ["promote", "shop"]], ids=lambda w: w[0]
)
def test_the_version_of_a_model_reaches_its_command(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []
    monkeypatch.setattr(action(words[0]), "main", lambda args: asked.append(args.version) or 0)
    assert cli.run([*words, "--version", "9"]) == 0
    assert cli.run(words) == 0
    assert asked == ["9", None]
    assert capsys.readouterr().out == ""


def test_a_path_that_cannot_be_used_is_one_line(ending: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(PermissionError(13, "Permission denied", "/closed/list.csv")) == 2
    assert capsys.readouterr().err == "perennial: /closed/list.csv: permission denied\n"
    assert ending(PermissionError(13, "Permission denied", "/closed/list.csv"), "--debug") == 2
    assert capsys.readouterr().err.startswith("Traceback (most recent call last)")


def test_an_unknown_word_is_refused_with_the_words_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    observed = 0
    for words, said in (
        (["trian", "ad_response"], "invalid choice: 'trian'"),
        (["stop", "--hard"], "unrecognized arguments: --hard"),
        (["show"], "the following arguments are required: name"),
    ):
        with pytest.raises(SystemExit) as left:
            cli.run(words)
        assert left.value.code == 2
        assert said in capsys.readouterr().err
        observed += 1
    assert observed == 3


def test_the_exit_code_of_every_error_reaches_the_process(ending: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    result = {}
    for kind in family(PerennialError):
        if kind.__module__ != errors.__name__:  # made elsewhere for one purpose
            continue
        result[kind.__name__] = ending(kind("what was wrong"))
        assert capsys.readouterr().err == "perennial: what was wrong\n"
    assert result == CODES


def test_the_drawn_tree_of_errors_tells_their_codes() -> None:
    drawn = {
        words[0]: int(words[1])
        for line in str(errors.__doc__).splitlines()
        if len(words := line.replace("│", " ").replace("├──", " ").replace("└──", " ").split()) > 2 and words[1].isdigit()
    }
    assert drawn == CODES


def test_a_traceback_is_shown_only_when_asked_for(
    ending: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ending(errors.InputError("no such file"), "--debug") == 2
    said = capsys.readouterr().err
    assert said.startswith("Traceback (most recent call last)")
    assert said.endswith("perennial: no such file\n")
    monkeypatch.setenv("PERENNIAL_DEBUG", "1")
    assert ending(errors.InputError("no such file")) == 2
    assert "Traceback" in capsys.readouterr().err


def test_other_ends(ending: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert [ending(end) for end in (0, 3, KeyboardInterrupt(), BrokenPipeError())] == [0, 3, 130, 141]
    assert capsys.readouterr().err == "perennial: stopped\n"


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no error of ours keeps its traceback; Python ends such a process with 1."""

    def broken(args: argparse.Namespace) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(action("stop"), "main", broken)
    with pytest.raises(ZeroDivisionError):
        cli.run(["stop"])


@pytest.mark.parametrize("command", ["history", "rollback", "run", "serve", "show"])
def test_an_unknown_use_case_is_refused_before_anything_is_started(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in ("params.yaml", "dvc.yaml"):
        (tmp_path / file).touch()
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "serve.py").touch()
    monkeypatch.chdir(tmp_path)
    assert cli.run([command, "nosuch"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"perennial: {tmp_path}/contracts/nosuch.yaml is missing: `perennial list` names")
    assert said.count("nosuch") == 1
    assert said.count("\n") == 1
    assert not (tmp_path / ".perennial").exists()


def test_outside_a_project_a_process_says_so_in_one_line(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "perennial", "list"]
    done = subprocess.run(words, cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (f"perennial: {tmp_path} is not inside a project: no folder above it holds params.yaml and dvc.yaml\n")
