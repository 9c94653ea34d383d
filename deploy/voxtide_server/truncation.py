"""Does a media file end before its container says that it does?

Decoders are lenient: most of them read a cut file to its end and call that the
whole recording, which would give half a transcript that looks complete. Each
reader here compares what the container announces with the bytes that are there.
A container that announces nothing (a live WebM, a WAV from a pipe) is complete.
"""

from __future__ import annotations

from typing import BinaryIO

SLACK_BYTES = 1_024
"""Writers that miscount by a header are common; a word needs more bytes than that."""

# Writers into a pipe cannot know the length. ffmpeg writes 0xFFFFFFFF, others
# 0x80000000, sox 0x7FFFF000, some nothing; all of them mean "until the end".
_UNKNOWN_LENGTH = 0x7FFF_F000
# A walk over headers must end also in a hostile file made of nothing else.
_MAX_CHUNKS = 100_000
_MP4_FIRST_BOXES = (b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip")
_OGG_MAX_PAGE = 65_307
_EBML_ID = b"\x1a\x45\xdf\xa3"
_SEGMENT_ID = b"\x18\x53\x80\x67"


def is_truncated(file: BinaryIO) -> bool:
    """Say whether a container announces more bytes than the file has.

    Args:
        file: seekable; it is read from its start and left at any position.

    Returns:
        True where the container proves that the end is missing. False where it
        is complete, says nothing about its length, or is not known here.
    """
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(12)
    return _announced_end(file, head, size) > size


def _announced_end(file: BinaryIO, head: bytes, size: int) -> int:
    """Position at which the container says it ends; 0 where it does not say."""
    magic = head[:4]
    if magic in (b"RIFF", b"RIFX", b"RF64", b"FORM"):
        return _iff_end(file, big_endian=magic in (b"RIFX", b"FORM"))
    if head[4:8] in _MP4_FIRST_BOXES:
        return _mp4_end(file, size)
    if magic == _EBML_ID:
        return _matroska_end(file)
    if magic == b"OggS":
        return _ogg_end(file, size)
    if magic[:3] == b"ID3" or (magic[:1] == b"\xff" and magic[1:2] >= b"\xe0"):
        return _mp3_end(file)
    return 0


def _iff_end(file: BinaryIO, *, big_endian: bool) -> int:
    """End of the audio chunk of a WAV or AIFF; what follows it is no sound."""
    position = 12
    for _ in range(_MAX_CHUNKS):
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            return 0
        length = int.from_bytes(header[4:], "big" if big_endian else "little")
        if header[:4] in (b"data", b"SSND"):
            return 0 if length >= _UNKNOWN_LENGTH else position + 8 + length - SLACK_BYTES
        position += 8 + length + length % 2
    return 0


def _mp4_end(file: BinaryIO, size: int) -> int:
    """End of the first box that goes beyond the file, or of the last one (ISO 14496-12)."""
    position = 0
    for _ in range(_MAX_CHUNKS):
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            break
        length, least = int.from_bytes(header[:4], "big"), 8
        if length == 1:
            length, least = int.from_bytes(header[8:], "big"), 16
        if length < least:  # 0: until the end of the file; else not a box
            return 0
        position += length
        if position > size:
            break
    return position


def _matroska_end(file: BinaryIO) -> int:
    """End of the segment of a Matroska or WebM file (RFC 8794, sections 4 and 5)."""
    file.seek(len(_EBML_ID))
    header = _ebml_size(file)
    if header is None:
        return 0
    file.seek(header, 1)
    if file.read(4) != _SEGMENT_ID:
        return 0
    segment = _ebml_size(file)
    return 0 if segment is None else file.tell() + segment


def _ebml_size(file: BinaryIO) -> int | None:
    """Read a variable-length size; None where it is unknown (all ones) or malformed."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    extra = 8 - first[0].bit_length()
    rest = file.read(extra)
    value = int.from_bytes(first + rest, "big") & ((1 << 7 * (extra + 1)) - 1)
    unknown = value == (1 << 7 * (extra + 1)) - 1
    return None if unknown or len(rest) < extra else value


def _ogg_end(file: BinaryIO, size: int) -> int:
    """End of the last Ogg page (RFC 3533, section 6).

    A missing end-of-stream flag alone is no proof: live recorders leave it out.
    """
    start = max(0, size - _OGG_MAX_PAGE)
    file.seek(start)
    tail = file.read(_OGG_MAX_PAGE)
    page = tail.rfind(b"OggS")
    if page < 0:
        return 0
    header = tail[page : page + 27]
    segments = header[26] if len(header) == 27 else 0
    lacing = tail[page + 27 : page + 27 + segments]
    if len(header) < 27 or len(lacing) < segments:
        return size + 1
    return start + page + 27 + segments + sum(lacing)


def _mp3_end(file: BinaryIO) -> int:
    """End of an MP3 by the Xing or Info tag in its first frame; 0 without one."""
    file.seek(0)
    start = _id3_length(file.read(10))
    file.seek(start)
    frame = file.read(64)
    if len(frame) < 64 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return 0
    mpeg1, mono = frame[1] & 0x18 == 0x18, frame[3] & 0xC0 == 0xC0
    side_info = (17 if mono else 32) if mpeg1 else (9 if mono else 17)
    tag = frame[4 + side_info :]
    # Flag 1: a count of frames follows; flag 2: a count of bytes follows it.
    if tag[:4] not in (b"Xing", b"Info") or not tag[7] & 2:
        return 0
    at = 12 if tag[7] & 1 else 8
    return start + int.from_bytes(tag[at : at + 4], "big") - SLACK_BYTES


def _id3_length(header: bytes) -> int:
    """Bytes of the ID3v2 tag that a header of 10 bytes opens; 0 without one."""
    if header[:3] != b"ID3" or len(header) < 10:
        return 0
    length = 0
    for byte in header[6:10]:  # seven bits a byte
        length = length << 7 | byte & 0x7F
    return 10 + length + (10 if header[5] & 0x10 else 0)
