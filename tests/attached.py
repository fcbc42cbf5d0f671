"""Files as people, and others, attach them: made here, so that nothing binary lies in the tree."""

from __future__ import annotations

import base64
import io
import struct
import zlib

from PIL import Image

HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAb5tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAA"
    "AAAAADRpbG9jAAAAAERAAAIAAQAAAAAB4gABAAAAAAAAABoAAgAAAAAB/AABAAAAAAAAAHQAAAA4aWluZgAAAAAAAgAAABVp"
    "bmZlAgAAAAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZo"
    "dmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAA"
    "AwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAA"
    "AAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1h"
    "AAAAAAAAAAEAAQWBAgMFhAAAABppcmVmAAAAAAAAAA5jZHNjAAIAAQABAAAAlm1kYXQAAAAWKAGvGYDvSaW//9/jH/X2r/im"
    "taY+bgAAAAZFeGlmAABNTQAqAAAACAACAQ8AAgAAAA4AAAAmiCUABAAAAAEAAAA0AAAAAENBTkFSWS1DQU1FUkEAAAIAAQAC"
    "AAAAAk4AAAAAAgAFAAAAAwAAAFIAAAAAAAAANwAAAAEAAAABAAAAAQAAAAIAAAAB"
)
"""64 x 48 in red, with a place (GPS) and a camera's name in its metadata; nothing here can encode it."""
CANARY = b"CANARY-CAMERA"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def jpeg(width: int = 64, height: int = 48, *, orientation: int = 1, color: str = "red") -> bytes:
    """A photograph with the place it was taken at, the camera, a comment."""
    picture = Image.new("RGB", (width, height), color)
    exif = picture.getexif()
    exif[0x0112] = orientation
    exif[0x010F] = CANARY.decode()
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (54.0, 59.0, 0.0), "E", (73.0, 22.0, 0.0)
    target = io.BytesIO()
    picture.save(target, "JPEG", exif=exif, comment=CANARY)
    return target.getvalue()


def png(width: int = 64, height: int = 48, *, mode: str = "RGB") -> bytes:
    """A drawing."""
    target = io.BytesIO()
    Image.new(mode, (width, height)).save(target, "PNG")
    return target.getvalue()


def bomb(side: int = 50_000) -> bytes:
    """A PNG of a few kilobytes whose head promises billions of pixels."""
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def has_place(picture: bytes) -> bool:
    """Whether a picture still says where it was taken."""
    with Image.open(io.BytesIO(picture)) as opened:
        return bool(opened.getexif().get_ifd(0x8825))


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum
