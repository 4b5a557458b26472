"""One exception hierarchy: every message says in one line what is wrong, where, and how to mend it."""

import unicodedata

_INVISIBLE = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode's control characters, halves of pairs, and separators of lines and paragraphs."""


def visible(text: str) -> str:
    """Write control characters out as escapes, so that a file's name cannot break a line or steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _INVISIBLE
        else character
        for character in text
    )


class VaescreenError(Exception):
    """Base of all errors a user can mend; the command line prints the message and exits 1."""


class DataError(VaescreenError):
    """Images or a data set cannot be used as given."""


class RegistryError(VaescreenError):
    """`registry.yaml` is unreadable or invalid, or names something unknown."""


class CandidateError(VaescreenError):
    """An autoencoder cannot be loaded, or gives unusable output."""


class CacheError(VaescreenError):
    """The cache or a results folder cannot be read or written."""


class RecipeError(VaescreenError):
    """A recipe is unknown, or its choices do not fit together."""


class ResultError(VaescreenError):
    """A result file is missing, damaged or stale."""


class DamagedError(ResultError):
    """A file is there, but it is not what was written: cut, changed, or another's."""
