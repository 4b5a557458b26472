"""What was seen of every image, noted line by line while a scan runs, so that an interruption loses nothing."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TextIO

from vaescreen.errors import CacheError
from vaescreen.storage import digest, write_bytes

_WORTH_KEEPING = 2
"""A memo is written anew when it has more than so many times the lines that are needed."""


class Seen(NamedTuple):
    """Hash of an image's pixels and a look at them, or the reason why it cannot be used; `kind` if it is no picture."""

    pixels: str | None
    reason: str | None = None
    kind: str = ""
    look: tuple[float, ...] = ()


class Memo:
    """What was seen, by stamp, in a file that grows by a line for each image.

    Each line ends in its checksum: a damaged one, for instance the last one of a process that was killed, is as good
    as none.

    Parameters
    ----------
    path
        The file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = dict(_read(path))
        self._stream: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                stream.close()
            except OSError as failure:
                if error is None:
                    raise self._cannot_write(failure) from failure

    def get(self, stamp: str) -> Seen | None:
        """What was noted for a stamp."""
        return self._seen.get(stamp)

    def add(self, stamp: str, seen: Seen) -> None:
        """Note what was seen.

        Raises
        ------
        CacheError
            If the file cannot be written.
        """
        self._seen[stamp] = seen
        try:
            if self._stream is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._stream = self._path.open("a", encoding="utf-8", newline="\n")
                self._stream.write("\n")
            self._stream.write(_line(stamp, seen))
        except OSError as error:
            raise self._cannot_write(error) from error

    def tidy(self, stamps: Collection[str]) -> None:
        """Forget all but these, if that shortens the file much."""
        if len(self._seen) > _WORTH_KEEPING * len(stamps):
            lines = (_line(stamp, self._seen[stamp]) for stamp in stamps if stamp in self._seen)
            write_bytes(self._path, "".join(lines).encode())

    def _cannot_write(self, error: OSError) -> CacheError:
        return CacheError(
            f"cannot write {self._path} ({error.strerror}); mend its folder's permissions or free space, or point "
            "VAESCREEN_CACHE elsewhere"
        )


def _line(stamp: str, seen: Seen) -> str:
    noted = [stamp, *seen]
    return json.dumps([*noted, digest(noted)]) + "\n"


def _read(path: Path) -> Iterator[tuple[str, Seen]]:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            for line in stream:
                try:
                    *noted, checksum = json.loads(line)
                    stamp, pixels, reason, kind, look = noted
                except (ValueError, TypeError):
                    continue
                if checksum == digest(noted):
                    yield stamp, Seen(pixels, reason, kind, tuple(look))
    except OSError:
        return
