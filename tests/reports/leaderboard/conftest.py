"""Simulated result files."""

from simulated import simulated

__all__ = ["simulated"]
