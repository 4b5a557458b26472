"""Pages, figures and previews, each a pure function of results."""
