"""A comparison on paper: in words (`report`), as charts, and as one HTML page."""
