"""What a result was made with: versions, hardware and command line, without the paths of a user's machine."""

import platform
import re
import shlex
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import Any

_OPTION = re.compile("--[a-z][a-z-]*")
_PACKAGES = ("vaescreen", "torch", "diffusers", "numpy", "pillow")


def environment(device: str = "cpu") -> dict[str, Any]:
    """Describe the software and hardware in use, as JSON-able values for a result file.

    Parameters
    ----------
    device
        Where the computation ran, such as "cpu" or "cuda".

    Returns
    -------
    dict
        `python`, package versions ("source tree" for a package that is not installed), `platform`, `cpu`,
        `threads` of this process, `device` (on a GPU also `gpu`) and `dtype`.
    """
    import torch

    kind = torch.device(device).type
    return {
        "python": platform.python_version(),
        **{package: _version(package) for package in _PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "threads": torch.get_num_threads(),
        "device": kind,
        **({"gpu": torch.cuda.get_device_name(device)} if kind == "cuda" else {}),
        "dtype": "float32",
    }


def command_line(*, private: bool = False) -> str:
    """Command as typed, with the program's name instead of its path and absolute paths cut to `.../name`.

    Parameters
    ----------
    private
        Keep the names of options only: whatever else was typed might name a file or a patient.
    """
    program, *arguments = sys.argv or [""]
    if private:
        options = (argument.partition("=")[0] for argument in arguments)
        return " ".join(
            [_program(PurePath(program)), *filter(_OPTION.fullmatch, options), "(values not recorded)"]
        )
    return " ".join([_program(PurePath(program)), *(shlex.quote(_without_folders(a)) for a in arguments)])


def _program(path: PurePath) -> str:
    """How the program is called from the folder that its package or script lies in."""
    if path.suffix != ".py":
        return path.name
    return (
        f"python -m {path.parent.name}"
        if path.stem == "__main__"
        else f"python {path.parent.name}/{path.name}"
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "source tree"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _without_folders(argument: str) -> str:
    option, equals, value = argument.rpartition("=")
    path = PurePath(value)
    return f"{option}{equals}.../{path.name}" if path.is_absolute() else argument
