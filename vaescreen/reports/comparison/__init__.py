"""A comparison on paper: the report, and its figures."""
