"""Degradations by name, as commands take them."""

import re

from vaescreen.errors import DataError
from vaescreen.images.degradation import Degradation, Library
from vaescreen.images.noise import NOISE_SD, Noise

NAMED = {"paper": Degradation("bicubic", 4)}
"""Degradations that go by a name of their own.

`paper` is that of recipe `paper`, for arXiv 2604.12152: 256 to 64 pixels, bicubic. If its library was PyTorch's
plain interpolation, `bicubic-x4-torch-aliased` is the same with its aliasing.
"""

_WORD = re.compile(
    r"x(?P<scale>\d+)|(?P<library>torch)|(?P<aliased>aliased)"
    r"|(?P<kind>gaussian|rician)(?P<sd>\d*\.?\d*)|seed(?P<seed>\d+)"
)


def degradation_named(text: str) -> Degradation:
    """Read a degradation: a name of `NAMED`, or words joined by `-`.

    The kernel first, then in any order `x2`, `x4` or `x8`; for bicubic `torch`, and with it `aliased`; `gaussian` or
    `rician` noise with its SD (0.02 if not given) and `seed`: `lanczos-x4`, `bicubic-x4-torch-aliased`,
    `kspace-x4-rician`, `area-x2-gaussian0.05-seed1`.

    Raises
    ------
    DataError
        If a word is unknown, is there twice or makes no sense beside the others.
    """
    if text in NAMED:
        return NAMED[text]
    kernel, *words = text.split("-")
    found: dict[str, str] = {}
    for word in words:
        match = _WORD.fullmatch(word)
        said = {key: value for key, value in match.groupdict().items() if value is not None} if match else {}
        if not said or found.keys() & said.keys():
            problem = "is there twice" if said else "is unknown"
            raise DataError(
                f"degradation {text!r}: {word!r} {problem}; write it as in bicubic-x4-torch or kspace-x4-rician0.02"
            )
        found |= said
    if "scale" not in found:
        raise DataError(
            f"degradation {text!r} has no scale; give it as in lanczos-x4, or one of {', '.join(NAMED)}"
        )
    if "seed" in found and "kind" not in found:
        raise DataError(f"degradation {text!r} has a seed but no noise; name gaussian or rician")
    noise = None
    if "kind" in found:
        sd = float(found["sd"]) if found["sd"].strip(".") else NOISE_SD
        noise = Noise(found["kind"], sd, int(found.get("seed", "0")))  # type: ignore[arg-type]  # one of the pattern's
    library: Library = "torch" if "library" in found else "Pillow"
    return Degradation(kernel, int(found["scale"]), library, "aliased" not in found, noise)  # type: ignore[arg-type]  # checked there
