"""The night's report: one static page."""

from pipelines.publishing.report.page import render_report

__all__ = ["render_report"]
