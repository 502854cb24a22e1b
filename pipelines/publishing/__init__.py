"""The last rooms of a night: audit, publish, report."""
