"""Anything that FFmpeg can play, live: RTMP, HLS, RTSP, Icecast, a sound card.

    pip install voxtide                               # and ffmpeg
    python examples/ffmpeg_live.py https://radio.example.com/live.m3u8
    python examples/ffmpeg_live.py -f pulse -i default                  # a microphone
    python examples/ffmpeg_live.py -listen 1 -i rtmp://0.0.0.0/live/me  # OBS streams to it
    python examples/ffmpeg_live.py -re -i talk.mp4                      # a file, as if it were live

The arguments are FFmpeg's, up to and with its input.  Each turn is printed once it is final, with
the time at which it began.  The server is VOXTIDE_BASE_URL, the key VOXTIDE_API_KEY.
"""

import subprocess
import sys

import voxtide

PCM = ["-vn", "-f", "s16le", "-ac", "1", "-ar", "16000", "-"]


def main(*arguments: str) -> None:
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", *arguments, *PCM]
    client, detection = voxtide.Client(), voxtide.TurnDetection()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as ffmpeg:
        try:
            with client.stream(ffmpeg.stdout, turn_detection=detection) as session:
                for event in session:
                    show(event)
        except BaseException:
            ffmpeg.kill()  # it may wait for its input for ever
            raise
    sys.exit(ffmpeg.returncode)


def show(event: voxtide.Event) -> None:
    match event:
        case voxtide.Final(text=text, start=start) if text:
            print(f"{start or 0:8.2f}  {text}", flush=True)
        case voxtide.ServerError(message=message):
            print(f"error: {message}", file=sys.stderr)


if __name__ == "__main__":
    # A lone argument is the input.
    main(*(sys.argv[1:] if len(sys.argv) > 2 else ["-i", *sys.argv[1:]]))
