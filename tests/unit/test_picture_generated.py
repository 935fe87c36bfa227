#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_picture_generated.py PROBE: the probe on pictures made by Pillow, in every mode that it writes.

With --tools: on AVIF, HEIF, JPEG XL and JPEG 2000 made by their own tools. What is missing is skipped; the exit status is then
77.
"""
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile

try:
    from PIL import Image, features

    from picture_files import Tester
except ImportError as error:
    print(f"SKIPPED: all of it, for Pillow (Debian: python3-pil) is missing: {error}")
    sys.exit(77)

SIZES = [(1, 1), (3, 2), (33, 17), (300, 200)]
SIZES_OF_ICONS = [(33, 17), (300, 200)]  # Pillow writes none below 16 pixels
CUTS = 30
EVERY_CUT_BYTES = 500
BITS_OF_MODE = {"1": 1, "I;16": 16, "I": 32, "F": 32}


def paint(mode, size):
    """Smooth enough to be a picture, and different in every channel."""
    chance = random.Random(f"{mode} {size}")
    if mode in ("I", "I;16", "F", "1", "P", "PA", "LA", "La"):
        grey = paint("L", size)
        if mode == "P":
            return paint("RGB", size).quantize(16)
        return grey.convert("I").convert(mode) if mode == "I;16" else grey.convert(mode)
    bands = []
    for _ in range(len(Image.new(mode, (1, 1)).getbands())):
        small = Image.new("L", (5, 5))
        small.putdata([chance.randrange(256) for _ in range(25)])
        bands.append(small.resize(size, Image.BICUBIC))
    return Image.merge(mode, bands)


def save(image, pillow_format, **options):
    out = io.BytesIO()
    image.save(out, pillow_format, **options)
    return out.getvalue()


# Pillow format, modes, variants of options
KINDS = [
    ("JPEG", ["L", "RGB", "CMYK", "YCbCr"],
     [{}, {"progressive": True}, {"subsampling": 0, "optimize": True}, {"comment": b"words"}]),
    ("PNG", ["1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"], [{}, {"optimize": True}, {"dpi": (72, 72)}]),
    ("PNG", ["P"], [{"bits": 1}, {"bits": 2}, {"bits": 4}, {"transparency": 0}]),
    ("PNG", ["L"], [{"transparency": 0}]),
    ("PNG", ["RGB"], [{"transparency": (1, 2, 3)}]),
    ("GIF", ["1", "L", "P", "RGB"], [{}, {"interlace": 0}, {"comment": b"words"}, {"transparency": 0}]),
    ("WEBP", ["L", "RGB", "RGBA"], [{}, {"lossless": True}, {"quality": 10, "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}]),
    ("BMP", ["1", "L", "P", "RGB", "RGBA"], [{}]),
    ("TIFF", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "I;16", "F"],
     [{}, {"compression": "tiff_lzw"}, {"compression": "tiff_deflate"}, {"compression": "packbits"}]),
    ("TIFF", ["L", "RGB"], [{"compression": "jpeg"}]),
    ("PPM", ["1", "L", "RGB", "I"], [{}]),
    ("ICO", ["RGB", "RGBA", "P", "L"], [{}, {"bitmap_format": "bmp"}]),
    ("JPEG2000", ["L", "LA", "RGB", "RGBA", "I;16"], [{}, {"no_jp2": True}, {"irreversible": True, "quality_layers": [20]}]),
]


def frames(pillow_format):
    """A picture of several frames."""
    images = [paint("RGB", (40 + step, 30)).resize((40, 30)) for step in range(3)]
    return save(images[0], pillow_format, save_all=True, append_images=images[1:])


def check(tester, name, data, cuts_show=True):
    answer = tester.probe([data])[0]
    opened = tester.compare(name, data, answer)
    tester.expect(opened, name, "Pillow does not open its own picture")
    tester.expect(answer.damaged == 0, name, f"called damaged: {answer}")
    chance = random.Random(name)
    lengths = range(len(data))
    if len(data) >= EVERY_CUT_BYTES:
        lengths = [len(data) - 1, len(data) - 2] + [chance.randrange(len(data)) for _ in range(CUTS)]
    if cuts_show:
        tester.compare_cuts(name, data, answer, lengths)
    return answer


NEEDED_FEATURES = {"WEBP": "webp", "JPEG2000": "jpg_2000", "TIFF": "libtiff"}


def expected_bits(pillow_format, mode):
    """None where Pillow chooses itself."""
    if pillow_format == "PPM" or (pillow_format, mode) == ("PNG", "I"):
        return None
    if pillow_format in ("PNG", "TIFF") and mode in BITS_OF_MODE:
        return BITS_OF_MODE[mode]
    if (pillow_format, mode) == ("TIFF", "P"):
        return 16  # the colours of its palettes have that many
    return None if mode in BITS_OF_MODE else 8


def check_kind(tester, pillow_format, mode, options):
    """One mode with one set of options in all sizes. How many pictures Pillow made: not every mode goes with every option."""
    made = 0
    for size in SIZES_OF_ICONS if pillow_format == "ICO" else SIZES:
        try:
            data = save(paint(mode, size), pillow_format, **options)
        except (OSError, ValueError, KeyError, SystemError):
            continue
        name = f"{pillow_format} {mode} {options} {size}"
        bits = check(tester, name, data).bits
        tester.expect(expected_bits(pillow_format, mode) in (None, bits), name, f"{bits} bits")
        made += 1
    return made


def check_pillow(tester):
    missing = {name for name, feature in NEEDED_FEATURES.items() if not features.check(feature)}
    for name in sorted(missing):
        tester.skip(f"this Pillow does not write {name}")
    for pillow_format, modes, variants in KINDS:
        for mode in modes if pillow_format not in missing else []:
            made = sum(check_kind(tester, pillow_format, mode, options) for options in variants)
            tester.expect(made > 0, f"{pillow_format} {mode}", "Pillow made no picture")
    for pillow_format in {"GIF", "TIFF", "WEBP", "PNG"} - missing:
        # Of a TIFF only the first page is looked at, so that a later one may be missing.
        check(tester, f"{pillow_format} of several frames", frames(pillow_format), pillow_format != "TIFF")


# program, arguments, input kind, format, channels and bits where the tool keeps them (0: not checked)
TOOLS = [
    ("avifenc", "-s 9 {in} {out}.avif", "RGB", "avif", 3, 8),
    ("avifenc", "-s 9 {in} {out}.avif", "RGBA", "avif", 4, 8),
    ("avifenc", "-s 9 -d 10 {in} {out}.avif", "RGB", "avif", 3, 10),
    ("avifenc", "-s 9 -y 400 {in} {out}.avif", "L", "avif", 1, 8),
    ("avifenc", "-s 9 --grid 2x1 {in} {out}.avif", "RGB", "avif", 3, 8),
    ("heif-enc", "-q 50 {in} -o {out}.heic", "RGB", "heif", 0, 0),
    ("heif-enc", "-q 50 {in} -o {out}.heic", "RGBA", "heif", 0, 0),
    ("heif-enc", "-t 32 -q 50 {in} -o {out}.heic", "RGB", "heif", 0, 0),
    ("heif-enc", "-A -q 50 {in} -o {out}.avif", "RGB", "avif", 0, 0),
    ("cjxl", "{in} {out}.jxl -e 1", "RGB", "jxl", 3, 8),
    ("cjxl", "{in} {out}.jxl -e 1 -d 0", "L", "jxl", 1, 8),
    ("cjxl", "{in} {out}.jxl -e 1 -d 0", "LA", "jxl", 2, 8),
    ("cjxl", "{in} {out}.jxl -e 1 -d 0", "RGBA", "jxl", 4, 8),
    ("cjxl", "{in} {out}.jxl -e 1 --container=1", "I;16", "jxl", 1, 16),
    ("cjxl", "{in} {out}.jxl -e 1 -p", "RGB", "jxl", 3, 8),
    ("cjxl", "{jpeg} {out}.jxl", "RGB", "jxl", 3, 8),
    ("cjxl", "{gif} {out}.jxl -e 1", "RGB", "jxl", 0, 8),
    ("opj_compress", "-i {in} -o {out}.jp2", "RGB", "jp2", 3, 8),
    ("opj_compress", "-i {in} -o {out}.j2k -r 20", "RGB", "jp2", 3, 8),
    ("opj_compress", "-i {in} -o {out}.jp2", "L", "jp2", 1, 8),
]
PACKAGES = {"avifenc": "libavif-bin", "heif-enc": "libheif-examples", "cjxl": "libjxl-tools", "opj_compress": "libopenjp2-tools"}
TOOL_SIZE = (320, 192)
CODESTREAM_MAGIC = b"\xff\x0a"


def check_tool(tester, directory, tool, number):
    program, arguments, mode, expected_format, channels, bits = tool
    paths = {"in": f"{directory}/{number}.png", "jpeg": f"{directory}/{number}.jpg", "gif": f"{directory}/{number}.gif"}
    paint(mode, TOOL_SIZE).save(paths["in"])
    for kind in ("jpeg", "gif"):
        if "{" + kind + "}" in arguments:
            paint(mode, TOOL_SIZE).save(paths[kind])
    command = [program] + arguments.format(out=f"{directory}/out{number}", **paths).split()
    name = f"{program} {arguments} of {mode}"
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    outputs = [path for path in os.listdir(directory) if path.startswith(f"out{number}.")]
    if run.returncode != 0 or not outputs:
        tester.skip(f"{name}: it says {run.stdout.decode(errors='replace').strip()[-200:]!r}")
        return
    with open(os.path.join(directory, outputs[0]), "rb") as file:
        data = file.read()
    answer = tester.probe([data])[0]
    tester.expect(answer.format == expected_format and answer.damaged == 0, name, f"expected {expected_format}: {answer}")
    tester.expect((answer.width, answer.height) == TOOL_SIZE, name, f"expected {TOOL_SIZE}: {answer}")
    samples_ok = channels in (0, answer.channels) and bits in (0, answer.bits)
    tester.expect(samples_ok, name, f"expected {channels} channels of {bits} bits: {answer}")
    if not data.startswith(CODESTREAM_MAGIC):  # a bare JPEG XL codestream does not say where it ends
        chance = random.Random(name)
        tester.compare_cuts(name, data, answer, [len(data) - 1] + [chance.randrange(len(data)) for _ in range(CUTS)])


def check_tools(tester):
    with tempfile.TemporaryDirectory() as directory:
        for number, tool in enumerate(TOOLS):
            if shutil.which(tool[0]) is None:
                tester.skip(f"{tool[0]} {tool[1]}: the program is missing (Debian: {PACKAGES[tool[0]]})")
            else:
                check_tool(tester, directory, tool, number)


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--tools"]
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    tester = Tester(arguments[0])
    if "--tools" in sys.argv:
        check_tools(tester)
        return tester.end("test_picture_tools")
    check_pillow(tester)
    return tester.end("test_picture_generated")


if __name__ == "__main__":
    sys.exit(main())
