"""What is said while something runs: one line for each word, whatever stands in the data."""

from __future__ import annotations

import logging
from typing import TextIO

from perennial.errors import one_line


class OneLine(logging.Formatter):
    """Escapes line ends and control signs, so that no cell of a file looks like a line of the log."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return one_line(super().formatMessage(record))


def start(form: str, stream: TextIO) -> None:
    """Send warnings of libraries, and what we say ourselves, to `stream`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine(form))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("perennial").setLevel(logging.INFO)
