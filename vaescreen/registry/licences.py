"""What the licences of candidates allow, as far as their names say it."""

from vaescreen.registry.candidate import Candidate

PERMISSIVE = frozenset(
    name.lower()
    for name in (
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC-BY-4.0",
        "CC0-1.0",
        "ISC",
        "MIT",
        "Unlicense",
    )
)
"""Licences, by SPDX identifier in lower case, that ask for little more than to name the authors."""


def is_permissive(candidate: Candidate) -> bool:
    """Whether the licence is known to be permissive; one that could not be confirmed does not count."""
    return candidate.licence.lower() in PERMISSIVE and "licence" not in candidate.unverified


def has_licence(candidate: Candidate, wanted: str) -> bool:
    """Whether the licence is `wanted`: "permissive", or a name in any case."""
    if wanted.lower() == "permissive":
        return is_permissive(candidate)
    return candidate.licence.lower() == wanted.lower()
