# SPDX-License-Identifier: Apache-2.0
"""Zstandard (RFC 8878): the encoder for ordinary vectors, and frames of raw and RLE blocks that are made by hand."""
import zstandard

from checksum import u

MAGIC = u(0xFD2FB528, 4)
SKIPPABLE_MAGIC = u(0x184D2A50, 4)
LEVEL = 3


def compress(data, dictionary=None):
    """One frame that gives its content size."""
    dictionary = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if dictionary else None
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary, write_content_size=True).compress(data)


def compress_trained(data, dictionary):
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=zstandard.ZstdCompressionDict(dictionary)).compress(data)


def compress_checked(data):
    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(data)


def decompress(frame, raw_bytes, dictionary=None):
    dictionary = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
    return zstandard.ZstdDecompressor(dict_data=dictionary).decompress(frame, max_output_size=max(raw_bytes, 1))


def is_dictionary(data):
    """Whether zstd can use it: it looks into those that begin with the magic."""
    try:
        decompress(compress(b"", data), 0, data)
    except zstandard.ZstdError:
        return False
    return True


def parameters(frame):
    return zstandard.get_frame_parameters(frame)


def raw_block(data, last=True):
    return u(len(data) << 3 | last, 3) + data


def rle_block(byte, count, last=True):
    return u(count << 3 | 1 << 1 | last, 3) + u(byte, 1)


def single_segment(size, blocks):
    """Frame header with an eight-byte content size, which is also the window."""
    return MAGIC + u(3 << 6 | 1 << 5, 1) + u(size, 8) + b"".join(blocks)


def windowed(window_log, blocks, size=None):
    """Frame header with a window of 2^window_log bytes; without a size the frame does not give one."""
    descriptor = 0 if size is None else 3 << 6
    return MAGIC + u(descriptor, 1) + u((window_log - 10) << 3, 1) + (b"" if size is None else u(size, 8)) + b"".join(blocks)


def skippable(data):
    return SKIPPABLE_MAGIC + u(len(data), 4) + data
