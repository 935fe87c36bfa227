# SPDX-License-Identifier: Apache-2.0
"""Small bytes to put into archives: pictures made by hand, and bytes that look like nothing."""
import zlib

from checksum import hash128


def noise(size, seed=0):
    return b"".join(hash128(bytes([seed & 255, seed >> 8 & 255]), block) for block in range(-(-size // 16)))[:size]


def _chunk(kind, body):
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def _stored_zlib(data):
    """zlib with one stored block: the same bytes whatever the version of zlib."""
    size = len(data).to_bytes(2, "little")
    return b"\x78\x01\x01" + size + bytes(255 - byte for byte in size) + data + zlib.adler32(data).to_bytes(4, "big")


def png(width, height, seed=0):
    """8-bit grey."""
    rows = b"".join(b"\0" + noise(width, seed + row) for row in range(height))
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", _stored_zlib(rows)) + _chunk(b"IEND", b"")


def pnm(width, height, seed=0):
    return b"P5\n%d %d\n255\n" % (width, height) + noise(width * height, seed)


def gif():
    """One black pixel."""
    return b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"


def qoi():
    """Four pixels, one run."""
    return b"qoif" + (2).to_bytes(4, "big") * 2 + b"\x03\0" + b"\xc3" + bytes(7) + b"\x01"
