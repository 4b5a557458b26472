"""Private data: ids become keyed hashes, and no name of a file or folder reaches a result or the terminal.

The key stays in the user's configuration folder. With it an id always gets the same hash, so that fingerprints hold
on this machine; without it nobody can try names until one fits.
"""

import hashlib
import hmac
import os
import re
import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from vaescreen.errors import CacheError, DataError
from vaescreen.images.formats import NoPictureError
from vaescreen.images.patients import PATTERN
from vaescreen.images.pixels import Picture
from vaescreen.images.scanning import Item, Skipped, Source
from vaescreen.storage import config_dir

KEY_FILE = "privacy.key"
_KEY_BYTES = 32
_DIGITS = 16
"""Hexadecimal digits of a hash: among a million ids two are alike once in 40 million times."""

_HIDDEN = "[name hidden]"
_SHORTEST = 3
"""Shorter names are left in messages: they name nobody, and are words as well."""
_TELLING = frozenset(
    {
        "source", "anatomy", "gray", "reading", "window_rule", "size", "crop", "resize", "split_rule", "patient_rule",
        "warnings", "seed", "files_not_in_manifest", "layout", "series", "slices_per_volume",
    }
)  # fmt: skip
"""What of a description is kept: everything else might name a file."""


def privacy_key() -> bytes:
    """Read this user's key; make it first if there is none.

    Raises
    ------
    CacheError
        If it cannot be read or written, is damaged, or others may read it.
    """
    path = config_dir() / KEY_FILE
    try:
        if not path.exists():
            _create(path)
        key, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise CacheError(f"cannot use {path} ({error.strerror}); mend its permissions") from error
    if len(key) != _KEY_BYTES:
        raise CacheError(f"{path} is damaged; delete it for a new key, which changes all private ids")
    if os.name == "posix" and mode & 0o077:
        raise CacheError(f"{path} can be read by others; take that away with `chmod 600 {path}`")
    return key


def _create(path: Path) -> None:
    """Put a new key in place, whole at once; of two commands that do so together, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(_KEY_BYTES))
        with suppress(FileExistsError):
            path.hardlink_to(temporary)
    finally:
        temporary.unlink(missing_ok=True)


def keyed_hash(key: bytes, kind: str, name: str) -> str:
    """HMAC-SHA256 of a name, cut to 16 hexadecimal digits; the same name of another kind gets another."""
    return hmac.new(key, f"{kind}\0{name}".encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def private_name(folder: Path) -> str:
    """What private data is called if the user gives no name: always the same for the same folder."""
    return f"private-{keyed_hash(privacy_key(), 'folder', str(folder.resolve()))[:8]}"


@contextmanager
def discreet(private: bool) -> Iterator[None]:
    """Keep names of files out of what goes wrong while `private` data is opened, and out of Python's warnings.

    Raises
    ------
    DataError
        In place of any `DataError` from inside, without its message.
    """
    if not private:
        yield
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DataError:
        raise DataError(
            "the private data cannot be opened; the reason may name files, so it is told only by "
            "`vaescreen data show` without --private"
        ) from None


class PrivateSource:
    """A source behind hashes: the same images and splits under other ids.

    Parameters
    ----------
    source
        What is hidden.
    folder
        Where it lies, for messages that must not say so.
    """

    def __init__(self, source: Source, folder: Path) -> None:
        key = privacy_key()
        self.kind: Literal["real", "phantom"] = source.kind
        self.origin = {"private": keyed_hash(key, "origin", "")} | source.origin
        self._source = source
        self._folders = {str(folder), str(folder.resolve()), folder.resolve().name}
        self._hidden = {keyed_hash(key, "image", item.id): item for item in source.items}
        self.items = tuple(
            replace(item, id=code, patient=keyed_hash(key, "patient", item.patient), key=code, frame="")
            for code, item in self._hidden.items()
        )
        self.unusable, self.left_out, self.passed_over = (
            tuple(
                Skipped(
                    keyed_hash(key, "file", each.path), self._without_names(each.reason, each.path), each.kind
                )
                for each in entries
            )
            for entries in (source.unusable, source.left_out, source.passed_over)
        )
        self.description: dict[str, Any] = {
            name: self._without_names(value, folder.name) if isinstance(value, str) else value
            for name, value in source.description.items()
            if name in _TELLING
        } | {"private": True}
        if str(self.description.get("patient_rule")).startswith(PATTERN):
            self.description["patient_rule"] = PATTERN

    def load(self, item: Item) -> Picture:
        """Give the pixels of an image; a reason why there are none names no file."""
        known = self._hidden[item.id]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self._source.load(known)
        except NoPictureError as error:
            raise NoPictureError(error.kind, self._without_names(str(error), str(known.key))) from None
        except DataError as error:
            raise DataError(self._without_names(str(error), str(known.key))) from None

    def stamps(self) -> list[Any]:
        """As of the source, in the same order; they are only ever hashed."""
        return self._source.stamps()

    def _without_names(self, reason: str, file: str) -> str:
        parts = PurePosixPath(file).parts
        stems = {part.partition(".")[0] for part in parts} | {PurePosixPath(part).stem for part in parts}
        names = {name for name in (file, *parts, *stems, *self._folders) if len(name) >= _SHORTEST}
        for name in sorted(names, key=len, reverse=True):
            reason = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", _HIDDEN, reason, flags=re.IGNORECASE)
        return reason
