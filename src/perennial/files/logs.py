"""Logging: one line for each message, whatever the data contain."""

from __future__ import annotations

import logging
from typing import TextIO

from perennial.errors import escape_line


class OneLineFormatter(logging.Formatter):
    """Escapes line ends and control characters, so that no cell of a file looks like a line of the log."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return escape_line(super().formatMessage(record))


def start_logging(form: str, stream: TextIO) -> None:
    """Send warnings of libraries, and our own messages from info on, to `stream`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLineFormatter(form))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("perennial").setLevel(logging.INFO)
