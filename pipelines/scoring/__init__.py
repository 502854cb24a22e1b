"""Scoring: the champions' predictions of one night, as the tables that are published."""
