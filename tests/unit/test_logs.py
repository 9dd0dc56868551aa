"""What is said is one line, whatever stands in the data."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from perennial.errors import InputError, escape_line
from perennial.files import logs

pytestmark = pytest.mark.unit
CELL = "Bern\nERROR root: all deleted\x1b[2J\u202e"


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], logging.getLogger("perennial").level
    logs.start_logging("shop: %(message)s", stream)
    yield stream
    root.handlers[:] = before
    logging.getLogger("perennial").setLevel(level)


def test_a_cell_cannot_look_like_a_line_of_the_log(said: io.StringIO) -> None:
    logging.getLogger("perennial").warning("odd category %s", CELL)
    assert said.getvalue() == "shop: odd category Bern\\nERROR root: all deleted\\x1b[2J\\u202e\n"


def test_an_error_is_one_line_and_ends_with_its_code() -> None:
    error = InputError(f"{CELL} is no town", code="town")
    assert str(error) == "Bern\\nERROR root: all deleted\\x1b[2J\\u202e is no town [town]"
    assert escape_line("Zürich, 5 €") == "Zürich, 5 €"
