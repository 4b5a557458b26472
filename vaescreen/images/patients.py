"""Whose an image is: by the user's pattern, or by what the files say."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from vaescreen.errors import DataError
from vaescreen.images.formats import Frame

OWN = "every image is its own patient"


def patients_of(images: Sequence[tuple[str, Frame, str]], pattern: str | None) -> tuple[dict[str, str], str]:
    """Find the patient of every image.

    Parameters
    ----------
    images
        File, frame and id of each image, in natural order.
    pattern
        Regular expression whose first group is the patient, searched in the file name, or in the path within the
        folder if the pattern contains a slash. None: what the files themselves say, else every image is its own.

    Returns
    -------
    tuple
        Patient by image id, and the rule in words.

    Raises
    ------
    DataError
        If the pattern is no regular expression, has no group, or finds nothing in a file.
    """
    if pattern is not None:
        expression = compiled(pattern)
        return {id_: _matched(expression, file) for file, _, id_ in images}, f"pattern {pattern}"
    if any(frame.patient for _, frame, _ in images):
        return {id_: frame.patient or id_ for _, frame, id_ in images}, "as the files say"
    return {id_: id_ for _, _, id_ in images}, OWN


def compiled(pattern: str) -> re.Pattern[str]:
    """Give a patient pattern as a regular expression.

    Raises
    ------
    DataError
        If it is none, or has no group.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise DataError(f"patient pattern {pattern!r} is not a regular expression: {error}") from error
    if not expression.groups:
        raise DataError(
            f"patient pattern {pattern!r} has no group; put parentheses around the patient's part"
        )
    return expression


def _matched(expression: re.Pattern[str], file: str) -> str:
    match = expression.search(file if "/" in expression.pattern else PurePosixPath(file).name)
    if match is None or not match.group(1):
        raise DataError(
            f"patient pattern {expression.pattern!r} finds no patient in {file}; mend the pattern"
        )
    return match.group(1)
