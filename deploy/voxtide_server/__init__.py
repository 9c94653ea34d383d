"""voxtide's vLLM plugin and launcher."""
