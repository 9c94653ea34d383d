"""Where audio comes from: files, URLs, raw bytes, the microphone, any iterable of chunks."""
