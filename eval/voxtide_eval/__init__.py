"""Accuracy against delay: datasets, runs through a server, scores, reports and a gate."""
