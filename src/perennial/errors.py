"""Every error that a user can meet, each with the exit code that it ends the process with.

    PerennialError                1   a bug of ours, where nothing more exact is raised
    ├── InputError                2   a file or a table that cannot be read or is not what the contract says
    │   └── DataStopped           2   readable, but unfit to go on with (a file rule, a suite that found something)
    ├── ContractError             2   a contract that contradicts itself
    ├── ConfigError               2   params, arguments, or what is installed
    ├── IntegrityError            2   bytes on disk that are not the bytes that were written
    ├── Refused                   3   understood and not done (REJECT)
    │   └── LeakError             3   a column, an entity or a label that would leak
    ├── Busy                     75   another run holds the lock
    ├── ServiceError              1   a server, tracker or network that did not answer
    │   └── TrackerDown          75   the MLflow server: try later, training needs none
    └── ConservationError         1   the input row ids are not the disjoint union of the output row ids

An error says what was wrong, the value, where, and what to do, in one line. What can be wrong with data also has a code
that stays when the message changes; it stands at the end in brackets (docs/bad-inputs.md lists them).
"""

import errno
import re

_SIGNS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def escape_line(text: str) -> str:
    """Escape line ends, control characters and marks that change the direction of writing."""
    return _SIGNS.sub(lambda sign: repr(sign[0])[1:-1], text)


_OF_THE_MACHINE = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "the quota of this user is used up: free some space",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "operation not permitted",
    errno.EMFILE: "too many files are open: raise `ulimit -n`",
    errno.ENFILE: "too many files are open on this machine",
}


def describe_os_error(error: OSError) -> str | None:
    """One line for what the machine refuses, or for a file of a user's; None for anything else, which is a bug."""
    reason = _OF_THE_MACHINE.get(error.errno or 0)
    if error.filename is None:
        return reason
    return f"{error.filename}: {reason or str(error.strerror).lower()}"


class PerennialError(Exception):
    """The root of the tree; `exit_code` is what `perennial` and `python -m perennial.stages.X` end with."""

    exit_code = 1

    def __init__(self, message: str = "", *, code: str = "") -> None:
        super().__init__(message)
        self.code = code

    def __str__(self) -> str:
        message = escape_line(super().__str__())
        return f"{message} [{self.code}]" if self.code else message


class InputError(PerennialError, ValueError):
    """A file or a table that cannot be read, or is not what the contract says."""

    exit_code = 2


class DataStopped(InputError):
    """Data that can be read but is unfit to go on with."""


class ContractError(PerennialError, ValueError):
    """A contract that contradicts itself or names what does not exist."""

    exit_code = 2


class ConfigError(PerennialError, ValueError):
    """Params, arguments or installed versions that do not fit."""

    exit_code = 2


class IntegrityError(PerennialError, ValueError):
    """Bytes on disk that differ from the digest they were written with."""

    exit_code = 2


class Refused(PerennialError):
    """A request that was understood and refused, with the reason."""

    exit_code = 3


class LeakError(Refused, ValueError):
    """A column, an entity or a label that would tell the model what it must not know."""


class Busy(PerennialError):
    """Another run of the same use case holds the lock."""

    exit_code = 75


class ServiceError(PerennialError):
    """A server, a tracker or the network did not answer."""


class TrackerDown(ServiceError):
    """The MLflow server does not answer now; what needs it can be asked for again later."""

    exit_code = 75


class ConservationError(PerennialError):
    """Row ids were lost or doubled between two stages: a bug, never the user's fault."""
