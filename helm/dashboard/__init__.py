"""The Grafana dashboard of voxtide, as Python."""
