"""Logging: one line for each message, whatever the data contain."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TextIO

from perennial.errors import escape_line


class OneLineFormatter(logging.Formatter):
    """Escapes line ends and control characters, so that no cell of a file looks like a line of the log."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return escape_line(super().formatMessage(record))


def read_last_line(path: Path) -> str:
    """The last line that is not blank of what a process wrote; empty where there is none."""
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def start_logging(form: str, stream: TextIO) -> None:
    """Send warnings of libraries, and our own messages from info on, to `stream`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLineFormatter(form))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("perennial").setLevel(logging.INFO)
