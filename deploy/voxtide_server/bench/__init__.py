"""Stock vLLM and voxtide side by side: `python -m voxtide_server.bench --help`."""
