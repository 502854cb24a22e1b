"""Benchmarks: one module a protocol, peers in the same run, figures as JSON."""
