"""What every command has in common: errors in one line, exit codes, an answer to Ctrl-C."""

import errno
import io
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TextIO

import typer
from typer.core import TyperGroup

from vaescreen.errors import VaescreenError, visible

INTERRUPTED = 130
_PLAIN = str.maketrans({"─": "-", "●": "o", "┊": ":", "◆": "#", "±": "+-", "—": "-", "−": "-", "δ": "delta"})
"""What stands for signs of the tables in a terminal that has ASCII alone."""


@dataclass
class Talk:
    """Which command runs, and how much it says beside its result."""

    command: str = ""
    progress: bool = True
    notes: bool = True


TALK = Talk()


class Application(TyperGroup):
    """Root command: a mendable error is one line on stderr and exit code 1; anything else is a bug."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the chosen command."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(
                errors="backslashreplace"
            )  # a name that the terminal cannot show is no failure
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()
        except VaescreenError as error:
            complain(f"error: {error}")
            raise typer.Exit(1) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever reads has enough
                raise
            complain(f"error: {error.filename or 'standard output'}: {error.strerror or error}")
            _forget_unwritten()
            raise typer.Exit(1) from error
        except KeyboardInterrupt as interrupt:
            complain("interrupted; run the same command again to go on")
            raise typer.Exit(INTERRUPTED) from interrupt
        return answer


def _forget_unwritten() -> None:
    """Let what cannot be printed go, or the interpreter would try once more and fail while it ends."""
    with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def complain(message: str) -> None:
    """Print one line on stderr, whatever line breaks the message has."""
    print(shown(" ".join(message.split()), sys.stderr), file=sys.stderr)


def shown(text: str, stream: TextIO | None = None) -> str:
    """Text without control characters, in signs that a stream has: standard output unless another is given."""
    encoding = (stream or sys.stdout).encoding or "utf-8"
    return visible(text) if encoding.lower().startswith("utf") else visible(text).translate(_PLAIN)
