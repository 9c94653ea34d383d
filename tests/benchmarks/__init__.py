"""Measurements of the client, run by hand; docs/benchmarks.md has the figures."""
