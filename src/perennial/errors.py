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
    └── ConservationError         1   row ids in are not the disjoint union of row ids out

An error says what was wrong, the value, where, and what to do, in one line.
"""


class PerennialError(Exception):
    """The root of the tree; `exit_code` is what `perennial` and `python -m perennial.stages.X` end with."""

    exit_code = 1


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
    """Something understood and not done, with the reason."""

    exit_code = 3


class LeakError(Refused, ValueError):
    """A column, an entity or a label that would tell the model what it must not know."""


class Busy(PerennialError):
    """Another run of the same use case holds the lock."""

    exit_code = 75


class ServiceError(PerennialError):
    """A server, a tracker or the network did not answer."""


class ConservationError(PerennialError):
    """Row ids were lost or doubled between two stages: a bug, never the user's fault."""
