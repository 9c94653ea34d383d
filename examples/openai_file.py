"""Transcribe a file with OpenAI's SDK: its text, its words with their times, its subtitles.

    pip install openai
    python examples/openai_file.py talk.mp4

The server is OPENAI_BASE_URL (default: http://127.0.0.1:8000/v1), the key OPENAI_API_KEY.
"""

import argparse
import os
from pathlib import Path

from openai import OpenAI


def main() -> None:
    parser = argparse.ArgumentParser(description="Transcribe a file with OpenAI's SDK.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", default="nano")
    arguments = parser.parse_args()

    client = OpenAI(
        base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "none"),
    )
    transcript = client.audio.transcriptions.create(
        model=arguments.model,
        file=arguments.file,
        response_format="verbose_json",
        timestamp_granularities=["word"],
    )
    print(transcript.text)
    for word in transcript.words or []:
        print(f"{word.start:8.2f} {word.end:8.2f}  {word.word}")

    subtitles = client.audio.transcriptions.create(
        model=arguments.model, file=arguments.file, response_format="srt"
    )
    print(subtitles)


if __name__ == "__main__":
    main()
