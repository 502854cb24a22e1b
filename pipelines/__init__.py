"""The steps of one night, in story order: ingest, validate, features, training, scoring, monitoring, publishing."""
