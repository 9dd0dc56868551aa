"""What the command line promises: words, exit codes, one line for an error, a traceback only when asked for."""

from __future__ import annotations

import functools
import importlib
import os
import re
import shlex
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from perennial import __version__, cli, errors
from perennial.errors import PerennialError
from tests.snapshot import assert_snapshot

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
    "TrackerDown": 75,
    "ConservationError": 1,
}


def family(root: type[PerennialError]) -> Iterator[type[PerennialError]]:
    yield root
    for child in root.__subclasses__():
        yield from family(child)


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """`perennial stop`, whose command ends as given; the exit code of the process."""
    monkeypatch.delenv("PERENNIAL_DEBUG", raising=False)

    def run(end: BaseException | int, *words: str) -> int:
        def main() -> int:
            if isinstance(end, BaseException):
                raise end
            return end

        monkeypatch.setattr(import_command("stop"), "main", main)
        monkeypatch.setattr(sys, "argv", ["perennial", "stop", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert isinstance(left.value.code, int)
        return left.value.code

    return run


def import_command(name: str) -> Any:
    with warnings.catch_warnings():  # libraries that import what Python has deprecated
        warnings.simplefilter("ignore")
        return importlib.import_module(f"perennial.commands.{name.replace('-', '_')}")


def show_help(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setenv("COLUMNS", "160")
    assert cli.run([name, "--help"] if name else ["--help"]) == 0
    return capsys.readouterr().out


def test_help_groups_every_command_and_loads_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = show_help("", monkeypatch, capsys)
    shown = [name for name in cli.PURPOSES if re.search(rf"│ {name} +{re.escape(cli.PURPOSES[name])}\.", said)]
    assert shown == list(cli.PURPOSES)
    assert [group for group in cli.GROUPS if f"─ {group} ─" in said] == list(cli.GROUPS)
    assert cli.run([]) == 0
    assert capsys.readouterr().out == said
    assert_snapshot("\n".join(line.rstrip() for line in said.splitlines()) + "\n", "help")
    loaded = "[name for name in sys.modules if name.startswith('perennial.commands')]"
    code = f"import sys; from perennial.cli import run; run([]); print({loaded})"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True, cwd=tmp_path)
    assert done.stdout.endswith("\n[]\n")


def test_every_command_is_a_module_and_every_module_a_command() -> None:
    folder = Path(str(cli.__file__)).parent / "commands"
    modules = {path.stem for path in folder.glob("*.py") if "\ndef main(" in path.read_text()}
    assert modules == {name.replace("-", "_") for name in cli.PURPOSES}


@pytest.mark.parametrize("name", cli.PURPOSES)
def test_the_example_in_each_help_is_a_line_that_the_command_takes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in ("params.yaml", "dvc.yaml", "contracts/shop.yaml", "contracts/ad_response.yaml"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    monkeypatch.chdir(tmp_path)
    command = import_command(name)
    program, *words = shlex.split(command.EXAMPLE)
    assert (program, words[0]) == ("perennial", name)
    assert f"Example: {command.EXAMPLE}" in show_help(name, monkeypatch, capsys)
    calls: list[Mapping[str, object]] = []

    @functools.wraps(command.main)
    def main(**options: object) -> None:
        calls.append(options)

    monkeypatch.setattr(command, "main", main)
    assert cli.run(words) == 0, capsys.readouterr().err
    assert len(calls) == 1


def test_each_argument_and_option_says_what_it_is() -> None:
    texts = []
    for name in cli.PURPOSES:
        main = import_command(name).main
        hints = get_type_hints(main, include_extras=True)
        texts += [hint.__metadata__[0].help for key, hint in hints.items() if key != "return"]
    assert len(texts) >= 60
    assert all(text and text.endswith(".") for text in texts)


def test_the_one_use_case_needs_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in ("params.yaml", "dvc.yaml"):
        (tmp_path / file).touch()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "shop.yaml").touch()
    names: list[str] = []
    command = import_command("open")

    @functools.wraps(command.main)
    def main(name: str) -> None:
        names.append(name)

    monkeypatch.setattr(command, "main", main)
    assert cli.run(["open"]) == 0
    assert names == ["shop"]
    (tmp_path / "contracts" / "bank.yaml").touch()
    assert cli.run(["open"]) == 2
    assert capsys.readouterr().err == "perennial: which use case? This project has bank, shop\n"
    assert cli.run(["open", "shpo"]) == 2
    assert "did you mean shop?" in capsys.readouterr().err
    assert cli.run(["open", "german_risk"]) == 2
    assert "perennial add german_risk" in capsys.readouterr().err


def test_a_shell_completes_commands_and_use_cases(tmp_path: Path) -> None:
    for file in ("params.yaml", "dvc.yaml", "contracts/shop.yaml", "contracts/bank.yaml"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()

    def complete(line: str, position: int) -> list[str]:
        environment = {"_PERENNIAL_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(position)}
        done = subprocess.run(
            [sys.executable, "-c", "from perennial.cli import main; main()"],
            cwd=tmp_path,
            text=True,
            capture_output=True,
            check=False,
            env={**os.environ, **environment},
        )
        return done.stdout.split()

    assert complete("perennial ro", 1) == ["rollback"]
    assert complete("perennial open ", 2) == ["bank", "shop"]
    assert complete("perennial open sh", 2) == ["shop"]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_a_path_that_cannot_be_used_is_one_line(ending: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(PermissionError(13, "Permission denied", "/closed/list.csv")) == 2
    assert capsys.readouterr().err == "perennial: /closed/list.csv: permission denied\n"
    assert ending(PermissionError(13, "Permission denied", "/closed/list.csv"), "--debug") == 2
    assert capsys.readouterr().err.startswith("Traceback (most recent call last)")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rnu", "ad_response"], "perennial: no such command 'rnu'. Did you mean 'run'?\n"),
        (["stop", "--hard"], "perennial: no such option: --hard; perennial stop --help shows how\n"),
        (["new"], "perennial: missing argument 'NAME'; perennial new --help shows how\n"),
    ],
)
def test_an_unknown_word_is_refused_in_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(words) == 2
    assert capsys.readouterr().err == message


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

    def broken() -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(import_command("stop"), "main", broken)
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
    assert said == "perennial: there is no use case 'nosuch': perennial list shows them all\n"
    assert said.count("\n") == 1
    assert not (tmp_path / ".perennial").exists()


def test_outside_a_project_a_process_says_so_in_one_line(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "perennial", "list"]
    done = subprocess.run(words, cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (f"perennial: {tmp_path} is not inside a project: no folder above it holds params.yaml and dvc.yaml\n")
