"""Reading fields of result files, with an error that names the file and the field."""

import math
from collections.abc import Mapping
from typing import Any

from vaescreen.errors import ResultError


def number(record: Mapping[str, Any], where: object, *keys: str) -> float:
    """Finite number under nested keys.

    Raises
    ------
    ResultError
        If it is missing or no finite number.
    """
    value = field(record, where, *keys)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ResultError(f"{where}: {'.'.join(keys)} is {value!r}, not a finite number; make the file again")
    return float(value)


def field(record: Mapping[str, Any], where: object, *keys: str) -> Any:
    """Value under nested keys.

    Raises
    ------
    ResultError
        If it is missing.
    """
    value: Any = record
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            raise ResultError(f"{where}: field {'.'.join(keys)} is missing; make the file again")
        value = value[key]
    return value
