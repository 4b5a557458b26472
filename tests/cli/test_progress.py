"""Lines of progress where nobody watches a bar."""

import pytest

from vaescreen.cli import progress


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
