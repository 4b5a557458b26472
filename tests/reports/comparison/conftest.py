"""Candidates whose flaws are known."""

from compared import entry, flawed, make_data, measured, sources

__all__ = ["entry", "flawed", "make_data", "measured", "sources"]
