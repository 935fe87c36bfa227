#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads aimg archives, and finds the rules that one breaks. Written from SPEC.md and REGISTRY.md alone, as a second opinion and
to be read: aimg_reader/container.py, index.py, validator.py. Needs xxhash and zstandard, nothing else.

reader.py list ARCHIVE        a line an image: position, ordinal, format, bytes, name
reader.py get ARCHIVE NAME    the bytes of an image; @N: of the image at position N
reader.py verify ARCHIVE      a line a fault: rule N at OFFSET (image K): what

Exit 0: done, valid. 1: not valid, or no such image. 2: wrong usage. 4: cannot be opened."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from aimg_reader.container import Fault, Finding  # noqa: E402
from aimg_reader.index import Archive  # noqa: E402
from aimg_reader.validator import verify  # noqa: E402

EXIT_DONE, EXIT_NO, EXIT_USAGE, EXIT_ARCHIVE = 0, 1, 2, 4
FORMATS = "unknown jpeg png gif webp bmp tiff pnm avif heif jxl jp2 ico qoi psd exr hdr".split()


def shown(name):
    """A name as a terminal may have it: control characters, and what is not UTF-8, escaped."""
    return "".join(letter if letter.isprintable() else letter.encode("utf-8", "surrogateescape").decode("latin-1")
                   .encode("unicode_escape").decode() for letter in name.decode("utf-8", "surrogateescape")).replace("\\\\", "\\")


def print_list(path):
    archive = Archive(path)
    position = 0
    for image in archive.every_image():
        if image.listed:
            kind = FORMATS[image.format] if image.format < len(FORMATS) else str(image.format)
            size = image.stored_bytes if image.coding == 0 else archive.frame_of(image).raw_bytes
            print("%d %d %s %d %s" % (position, image.ordinal, kind, size, shown(image.name)))
            position += 1
    return EXIT_DONE


def print_image(path, word):
    archive = Archive(path)
    if word.startswith("@") and word[1:].isdecimal():
        image = archive.at_position(int(word[1:]))
    else:
        image = archive.find(os.fsencode(word))
    if image is None:
        print("reader.py: %s: no image %s" % (path, word), file=sys.stderr)
        return EXIT_NO
    for piece in archive.pieces(image):
        sys.stdout.buffer.write(piece)
    return EXIT_DONE


def print_findings(path):
    if os.path.getsize(path) == 0:
        print("reader.py: %s: nothing to read: the file has no bytes" % path, file=sys.stderr)
    findings = verify(path)
    for finding in findings:
        print(finding)
    return EXIT_NO if any(not finding.warning for finding in findings) else EXIT_DONE


def main(words):
    verbs = {"list": (print_list, 1), "get": (print_image, 2), "verify": (print_findings, 1)}
    if not words or words[0] not in verbs or len(words) - 1 != verbs[words[0]][1]:
        print(__doc__, file=sys.stderr)
        return EXIT_USAGE
    try:
        return verbs[words[0]][0](*words[1:])
    except Fault as fault:
        print("reader.py: %s: %s: %s" % (words[1], fault.status, fault), file=sys.stderr)
    except (OSError, MemoryError) as trouble:
        print("reader.py: %s" % (str(trouble) or "%s: out of memory" % words[1]), file=sys.stderr)
    return EXIT_ARCHIVE


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main(sys.argv[1:]))
