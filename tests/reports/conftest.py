"""One browser for all pages."""

from browser import browser, visit

__all__ = ["browser", "visit"]
