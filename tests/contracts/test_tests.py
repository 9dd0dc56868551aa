"""Tests that can fail: a loop says how many cases it saw, and what is tested is public.

An assertion inside a loop, or over `all(…)` of one, holds of nothing at all when the source has become empty. So a test whose
every assertion stands in loops asserts a count beside them. Loops over a literal that is not empty are fine; so are Hypothesis's
tests, whose drawn lists may be empty on purpose.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.contracts

REPO = Path(__file__).parents[2]
OURS = ("perennial", "flows", "tests", "benchmarks")
PRIVATE = re.compile(r"_[A-Za-z]\w*")
PRIVATE_PATH = re.compile(r"(perennial|flows)(\.\w+)*\._[A-Za-z]\w*")
OF_OTHERS = {"_asdict", "_fields", "_make", "_replace", "_repr_html_"}  # of named tuples, and what notebooks call
HANDS_ON = {"enumerate", "list", "reversed", "sorted", "tuple", "zip"}  # as long as what they are given
Function = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def read_modules() -> dict[str, ast.Module]:
    paths = [path for folder in ("tests", "benchmarks") for path in sorted((REPO / folder).rglob("*.py"))]
    planted = Path(__file__)  # it holds what must be found
    return {str(path.relative_to(REPO)): ast.parse(path.read_text()) for path in paths if path != planted}


def test_a_test_that_asserts_only_in_loops_says_how_many_it_saw() -> None:
    modules = read_modules()
    functions = [function for module in modules.values() for function in _list_checks(module)]
    found = [f"{path}:{line}" for path, module in modules.items() for line in find_uncounted_loops(module)]
    assert found == []
    assert len(functions) > 800


def test_no_private_name_is_imported_or_reached_into() -> None:
    modules = read_modules()
    found = [f"{path}:{line}" for path, module in modules.items() for line in find_private_names(module)]
    assert found == []
    assert len(modules) > 120


@pytest.mark.parametrize(
    ("body", "uncounted"),
    [
        ("for x in xs:\n        assert x", True),
        ("while xs:\n        assert xs.pop()", True),
        ("for x in xs:\n        with pytest.raises(ValueError):\n            f(x)", True),
        ("for x in xs:\n        check_one(x)", True),
        ("for x in []:\n        assert x", True),
        ("assert all(x for x in xs)", True),
        ("assert not any(x for x in xs)", True),
        ("assert [x for x in xs if not x] == []", True),
        ("for x in xs:\n        if x:\n            assert x", True),
        ("for x in xs:\n        assert x\n    assert len(xs) == 3", False),
        ("for x in (1, 2):\n        assert x", False),
        ("for x in CASES:\n        assert x", False),
        ("for i, x in enumerate(sorted([1, 2])):\n        assert x", False),
        ("for x in range(3):\n        assert x", False),
        ("assert all(x for x in (1, 2))", False),
        ("assert [x for x in xs if x] == [1]", False),
        ("for x in xs:\n        f(x)\n    assert done", False),
        ("f()", False),
    ],
)
def test_a_planted_loop_is_found(body: str, uncounted: bool, tmp_path: Path) -> None:
    path = tmp_path / "test_planted.py"
    for head in ("def test_it(xs):", "def check_it(xs):"):
        path.write_text(f"CASES = [1, 2]\n\n\n{head}\n    {body}\n")
        assert find_uncounted_loops(ast.parse(path.read_text())) == (["4"] if uncounted else [])


def test_loops_of_hypothesis_and_of_helpers_are_left_alone() -> None:
    loop = "for x in xs:\n        assert x\n"
    assert find_uncounted_loops(ast.parse(f"@given(xs=st.lists(st.text()))\ndef test_it(xs):\n    {loop}")) == []
    assert find_uncounted_loops(ast.parse(f"def wait(xs):\n    {loop}")) == []


@pytest.mark.parametrize(
    "source",
    [
        "from perennial.cli import _parse",
        "from tests.conftest import _toy",
        "from perennial import _cli",
        "import perennial._cli",
        "from perennial import cli\ncli._parse()",
        "import perennial.cli\nperennial.cli._parse()",
        "model = fit()\nmodel._design()",
        "monkeypatch.setattr('perennial.cli._parse', f)",
        "monkeypatch.setattr(cli, '_parse', f)",
        "getattr(cli, '_parse')",
        "run(['python', '-c', 'from perennial.cli import _parse'])",
    ],
)
def test_a_planted_private_name_is_found(source: str, tmp_path: Path) -> None:
    path = tmp_path / "test_planted.py"
    path.write_text(f"{source}\n")
    assert len(find_private_names(ast.parse(path.read_text()))) == 1


def test_public_names_and_those_of_others_are_left_alone() -> None:
    source = "import os\nfrom perennial.cli import parse\nos._exit(9)\nparse.__name__\nrow._replace(a=1)\ngetattr(row, 'a')"
    source += "\nrow._repr_html_()"
    methods = "class A:\n    def f(self):\n        return self._x"
    assert find_private_names(ast.parse(f"{source}\n{methods}")) == []


# --- loops


def find_uncounted_loops(module: ast.Module) -> list[str]:
    """Lines of tests, and of helpers named check_…, that assert in loops over what may be empty, and nowhere else."""
    constants = _find_literals(module.body)
    found = []
    for function in _list_checks(module):
        seen = list(_list_assertions(function.body, constants | _find_literals(function.body), looped=False))
        if seen and all(seen) and not any(_ends_with(decorator, "given") for decorator in function.decorator_list):
            found.append(str(function.lineno))
    return found


def _list_checks(module: ast.Module) -> list[Function]:
    functions = [node for node in ast.walk(module) if isinstance(node, Function)]
    return [function for function in functions if function.name.startswith(("test_", "check_"))]


def _list_assertions(body: list[ast.stmt], literals: set[str], *, looped: bool) -> Iterator[bool]:
    """For each assertion, whether it may hold because a loop saw nothing."""
    for node in body:
        inner = looped
        match node:
            case ast.Assert():
                yield looped or _may_be_vacuous(node.test, literals)
            case ast.Expr(value=ast.Call(func=function)) if _is_check(function):
                yield looped
            case ast.With() if any(_raises(item.context_expr) for item in node.items):
                yield looped
            case ast.For():
                inner = looped or _may_be_empty(node.iter, literals)
            case ast.While():
                inner = True
        for block in ("body", "orelse", "finalbody"):
            if not isinstance(node, Function | ast.ClassDef):
                yield from _list_assertions(getattr(node, block, []), literals, looped=inner)


def _may_be_vacuous(test: ast.expr, literals: set[str]) -> bool:
    """`all(… for …)`, `not any(… for …)` or `[… for …] == []` over what may be empty."""
    match test:
        case ast.Call(func=ast.Name(id="all"), args=[argument]):
            return _draws(argument, literals)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Name(id="any"), args=[argument])):
            return _draws(argument, literals)
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[ast.List(elts=[]) | ast.Dict(keys=[])]):
            return _draws(left, literals)
    return False


def _draws(node: ast.expr, literals: set[str]) -> bool:
    return isinstance(node, Comprehension) and _may_be_empty(node.generators[0].iter, literals)


def _may_be_empty(source: ast.expr, literals: set[str]) -> bool:
    match source:
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return not elements
        case ast.Dict(keys=keys):
            return not keys
        case ast.Constant(value=str() as text):
            return not text
        case ast.Name(id=name):
            return name not in literals
        case ast.Call(func=ast.Name(id="range"), args=arguments):
            return not all(isinstance(argument, ast.Constant) for argument in arguments)
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in HANDS_ON:
            return _may_be_empty(first, literals)
        case ast.Call(func=ast.Attribute(value=value, attr="items" | "keys" | "values"), args=[]):
            return _may_be_empty(value, literals)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _may_be_empty(left, literals) and _may_be_empty(right, literals)
    return True


def _find_literals(body: list[ast.stmt]) -> set[str]:
    """Names that are given a literal with something in it."""
    names: set[str] = set()
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(target=ast.Name(id=name), value=value):
                if value is not None and not _may_be_empty(value, names):
                    names.add(name)
    return names


def _is_check(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name.startswith(("check_", "assert_"))


def _raises(context: ast.expr) -> bool:
    return isinstance(context, ast.Call) and (_ends_with(context, "raises") or _ends_with(context, "warns"))


def _ends_with(node: ast.expr, name: str) -> bool:
    """Whether a (called) name is `name`, or ends with `.name`."""
    return re.fullmatch(rf"([\w.]+\.)?{name}", ast.unparse(node.func if isinstance(node, ast.Call) else node)) is not None


# --- private names


def find_private_names(module: ast.Module) -> list[str]:
    """`line name` of each private name that is imported, reached into, or named in a string."""
    foreign = {name for node in ast.walk(module) for name in _list_foreign(node)} | {"self", "cls"}
    return [f"{line} {name}" for node in ast.walk(module) for line, name in _list_private(node, foreign)]


def _list_foreign(node: ast.AST) -> Iterator[str]:
    """Names of imported modules and objects of other packages."""
    match node:
        case ast.ImportFrom(module=str() as source) if source.split(".")[0] not in OURS:
            yield from (alias.asname or alias.name for alias in node.names)
        case ast.Import():
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names if alias.name.split(".")[0] not in OURS)


def _list_private(node: ast.AST, foreign: set[str]) -> Iterator[tuple[int, str]]:
    match node:
        case ast.ImportFrom(module=str() as source) if source.split(".")[0] in OURS:
            paths = [f"{source}.{alias.name}" for alias in node.names]
        case ast.Import():
            paths = [alias.name for alias in node.names if alias.name.split(".")[0] in OURS]
        case ast.Attribute(attr=name) if ast.unparse(node).split(".")[0] not in foreign and name not in OF_OTHERS:
            paths = [name]
        case ast.Call(args=[_, ast.Constant(value=str() as name), *_]) if _ends_with(node, "(setattr|delattr|getattr|object)"):
            paths = [name]
        case ast.Constant(value=str() as text):
            imported = re.findall(r"from ((?:perennial|flows)[\w.]*) import (_[A-Za-z]\w*)", text)
            paths = [".".join(pair) for pair in imported] + [hit[0] for hit in PRIVATE_PATH.finditer(text)]
        case _:
            paths = []
    yield from ((node.lineno, path) for path in paths if any(PRIVATE.fullmatch(part) for part in path.split(".")))  # type: ignore[attr-defined]
