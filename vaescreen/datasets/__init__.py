"""Data sets by name: what the registry knows of, what of it is on this machine, and how the rest gets here.

`declared` says what the word behind `--data` means and `open_data` opens it; `options` keep in one piece what is said
beside it. `fetching` brings data sets of the hub (`hub`) and of the web (`downloads`, `answers`) into the `store` and
unpacks their archives; `adding` takes the user's own folders into a registry. This stands between
`vaescreen.images`, which knows files and nothing of registries, and everything that works on images.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec

from vaescreen import images
from vaescreen.datasets.naming import declared
from vaescreen.datasets.options import DataOptions
from vaescreen.images import DataSet, Declaration

__all__ = ["DataOptions", "declared", "open_data"]

_Options = ParamSpec("_Options")
_Spec = str | Path | Declaration


def _by_name(
    opener: Callable[Concatenate[_Spec, _Options], DataSet],
) -> Callable[Concatenate[_Spec, _Options], DataSet]:
    @functools.wraps(opener)
    def open_declared(spec: _Spec, /, *arguments: _Options.args, **options: _Options.kwargs) -> DataSet:
        return opener(declared(spec), *arguments, **options)

    return open_declared


open_data = _by_name(images.open_data)
"""`vaescreen.images.open_data` that knows the data sets of the registry by name."""
