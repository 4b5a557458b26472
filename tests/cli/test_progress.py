"""Lines of progress where nobody watches a bar."""

import io
import re

import pytest

from vaescreen.cli import progress
from vaescreen.ranking.table import Row


def test_time_left_is_told_once_it_can_be_known(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    clock = iter([0.0, 10.0, 100.0, 190.0, 195.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    tell = progress.Teller()
    for done, name in enumerate(("a", "b", "c", "d"), start=1):
        tell(name, done, 4)
    assert capsys.readouterr().err.splitlines() == [
        "1/4 a",
        "2/4 b, about 3 min left",
        "3/4 c, about 2 min left",
        "4/4 d",
    ]


ROWS = (Row("low", predicted_sr_psnr=24.0, interval=(23.0, 25.0)), Row("high", probe_psnr=26.0))


def test_what_is_found_is_told_with_its_candidate(capsys) -> None:
    tell = progress.Teller()
    for done, row in enumerate(ROWS, 1):
        tell.row(row, "sr_psnr")
        tell(row.candidate, done, 3)
    tell("failed", 3, 3)
    assert capsys.readouterr().err.splitlines() == [
        "1/3 low: 24.00 ± 1.00 dB so far",
        "2/3 high: 26.00 dB so far",
        "3/3 failed",
    ]


def test_a_terminal_shows_the_best_first_above_the_bar_and_none_of_it_stays(monkeypatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress.progress() as tell:
        for done, row in enumerate(ROWS, 1):
            tell.row(row, "sr_psnr")
            tell(row.candidate, done, 3)
    drawn = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())
    last = drawn[drawn.rindex("high  26.00 dB") :]
    assert 0 < last.index("low   24.00 ± 1.00 dB") < last.index("2/3")
    assert terminal.getvalue().rstrip().endswith("\x1b[2K")
