"""Progress of one reference point on stderr: a bar in a terminal, a few lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import parent_process

from vaescreen.cli.application import complain

_LINES = 10


@dataclass
class Teller:
    """Takes what training reports, and says how far it is, what the loss is, how fast it goes and what is left.

    Attributes
    ----------
    title
        What is being trained.
    batch
        Samples a step.
    """

    title: str
    batch: int
    loss: float | None = None
    _phase: str = ""
    _began: tuple[float, int] = (0.0, 0)
    _told: set[tuple[str, int]] = field(default_factory=set)

    def on_loss(self, loss: float) -> None:
        """Take the loss of the step that is reported next."""
        self.loss = loss

    def on_step(self, phase: str, done: int, total: int) -> None:
        """Say a line each tenth of a phase."""
        self._clock(phase, done)
        part = (phase, done * _LINES // total)
        if part not in self._told:
            self._told.add(part)
            complain(f"{self.title}: {phase} {done}/{total}{self.details(phase, done, total)}")

    def details(self, phase: str, done: int, total: int) -> str:
        """Loss, samples a second and time left, as far as they are known."""
        begin, first = self._began
        elapsed, made = time.monotonic() - begin, done - first
        if phase != "train" or not made or self.loss is None:
            return ""
        left = elapsed / made * (total - done)
        return f", loss {self.loss:.4f}, {made * self.batch / elapsed:.0f} samples/s, {_duration(left)} left"

    def _clock(self, phase: str, done: int) -> None:
        if phase != self._phase:
            self._phase, self._began = phase, (time.monotonic(), done)


class _Silent(Teller):
    """For processes that do not lead."""

    def on_step(self, phase: str, done: int, total: int) -> None:
        pass


class _Bar(Teller):
    """The same in one line that stays."""

    def attach(self, bar: object, task: object) -> None:
        self._bar, self._task = bar, task

    def on_step(self, phase: str, done: int, total: int) -> None:
        self._clock(phase, done)
        text = f"{self.title}: {phase}{self.details(phase, done, total)}"
        self._bar.update(self._task, description=text, completed=done, total=total)  # type: ignore[attr-defined]


@contextmanager
def telling(title: str, batch: int, *, silent: bool = False) -> Iterator[Teller]:
    """Give the teller that fits where stderr goes; worker processes share a terminal and say lines."""
    if silent:
        yield _Silent(title, batch)
        return
    if not sys.stderr.isatty() or parent_process() is not None:
        yield Teller(title, batch)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        teller = _Bar(title, batch)
        teller.attach(bar, bar.add_task(title, total=None))
        yield teller


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
