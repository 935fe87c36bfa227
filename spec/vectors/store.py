# SPDX-License-Identifier: Apache-2.0
"""How vectors lie in the tree: NAME.aimg.zst and NAME.json in good/ and bad/. What is frozen are the archive's bytes; of the zstd
frame around them nothing is."""
import json
import pathlib

import zstandard

from checksum import print128

HERE = pathlib.Path(__file__).resolve().parent
FOLDERS = ("good", "bad")
LEVEL = 19
SUFFIX = ".aimg.zst"


def pack(data):
    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(data)


def unpack(packed):
    return zstandard.ZstdDecompressor().decompress(packed)


def text_of(expected):
    return json.dumps(expected, indent=1, ensure_ascii=False) + "\n"


def complete(data, expected):
    """With what says that an unpacked file is the vector."""
    return {**expected, "file_bytes": len(data), "file_xxh128": print128(data)}


def save(name, data, expected):
    packed, text = HERE / (name + SUFFIX), HERE / (name + ".json")
    packed.parent.mkdir(exist_ok=True)
    packed.write_bytes(pack(data))
    text.write_text(text_of(complete(data, expected)), encoding="utf-8")


def names():
    """folder/name of all that is stored, also of an archive or a JSON that lacks the other."""
    paths = [path for folder in FOLDERS for path in (HERE / folder).glob("*")]
    return sorted({"%s/%s" % (path.parent.name, path.name.split(".")[0]) for path in paths})


def load(name):
    """Bytes and JSON, either None when it is missing."""
    packed, text = HERE / (name + SUFFIX), HERE / (name + ".json")
    return (unpack(packed.read_bytes()) if packed.exists() else None,
            json.loads(text.read_text(encoding="utf-8")) if text.exists() else None)


def size():
    return sum(path.stat().st_size for folder in FOLDERS for path in (HERE / folder).glob("*"))
