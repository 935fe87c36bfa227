# SPDX-License-Identifier: Apache-2.0
"""Checksums and small arithmetic of SPEC.md section 1."""
import functools

import xxhash

MASK64 = (1 << 64) - 1


class Zeros:
    """So many zero bytes, which nobody holds: the payload of a frame that is a hole of the file."""
    PIECE = bytes(1 << 20)

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count


@functools.lru_cache(None)
def digest_of_zeros(count, seed):
    state = xxhash.xxh3_128(seed=seed)
    for _ in range(count // len(Zeros.PIECE)):
        state.update(Zeros.PIECE)
    state.update(Zeros.PIECE[:count % len(Zeros.PIECE)])
    return state.intdigest()


def digest(data, seed):
    if isinstance(data, Zeros):
        return digest_of_zeros(len(data), seed)
    return xxhash.xxh3_128_intdigest(bytes(data), seed)


def hash128(data, seed=0):
    """H or, with a seed, Hs: 16 bytes, low half first."""
    return digest(data, seed).to_bytes(16, "little")


def low64(digest):
    return int.from_bytes(digest[:8], "little")


def seed_of(uuid):
    return int.from_bytes(uuid[:8], "little")


def seeded(data, uuid):
    return hash128(data, seed_of(uuid))


def print128(data):
    """As xxh128sum prints it: high half, then low half."""
    return format(digest(data, 0), "032x")


def round_up(number, multiple):
    return -(-number // multiple) * multiple


def pad_to(data, multiple):
    return bytes(data) + bytes(round_up(len(data), multiple) - len(data))


def u(number, width):
    return number.to_bytes(width, "little")
