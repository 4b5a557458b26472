"""One opened file is held: asked for again it is there, and it is gone before another is opened."""

import weakref
from pathlib import Path

from vaescreen.images.held import held


class Opened:
    """Something that can be watched."""


def test_the_last_file_is_held_until_another_is_asked_for_or_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("one")
    first = held(path, "x", Opened)
    gone = weakref.ref(first)
    again = held(path, "x", Opened)
    assert again is gone()
    del first, again

    def make() -> Opened:
        assert gone() is None, "the former is let go first, so that two never fill the memory"
        return Opened()

    second = held(path, "y", make)
    assert held(path, "y", Opened) is second
    path.write_text("three")
    assert held(path, "y", Opened) is not second
