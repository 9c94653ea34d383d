"""The load test: paced live speech, and what it measures."""
