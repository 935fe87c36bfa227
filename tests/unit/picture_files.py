# SPDX-License-Identifier: Apache-2.0
"""Asks the probe program about pictures, and compares its answers with what Pillow reads from them."""
import io
import struct
import subprocess
import warnings
from collections import namedtuple

from PIL import Image

Probe = namedtuple("Probe", "format width height channels bits damaged")

Image.MAX_IMAGE_PIXELS = None  # headers only: hostile sizes are what we are here for
warnings.simplefilter("ignore")

CHANNELS_OF_MODE = {
    "1": 1, "L": 1, "I": 1, "I;16": 1, "I;16B": 1, "F": 1, "LA": 2, "La": 2, "P": 3, "RGB": 3, "YCbCr": 3, "LAB": 3, "HSV": 3,
    "PA": 4, "RGBA": 4, "RGBa": 4, "RGBX": 4, "CMYK": 4,
}
CHANNELS_OF_PNG_TYPE = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
NAME_OF_PILLOW_FORMAT = {
    "JPEG": "jpeg", "MPO": "jpeg", "PNG": "png", "GIF": "gif", "WEBP": "webp", "BMP": "bmp", "DIB": "bmp", "TIFF": "tiff",
    "PPM": "pnm", "ICO": "ico", "CUR": "ico", "JPEG2000": "jp2", "PSD": "psd",
}


class Tester:
    """Counts what agrees and prints what does not."""

    def __init__(self, program):
        self.program = program
        self.checked = 0
        self.failed = 0
        self.skipped = 0

    def skip(self, why):
        self.skipped += 1
        print(f"SKIPPED: {why}", flush=True)

    def expect(self, condition, name, what):
        self.checked += 1
        if not condition:
            self.failed += 1
            print(f"FAILED: {name}: {what}", flush=True)

    def probe(self, pictures):
        """The answers for a list of byte strings."""
        stream = b"".join(struct.pack("<I", len(data)) + data for data in pictures)
        run = subprocess.run([self.program, "--stream"], input=stream, stdout=subprocess.PIPE, check=True)
        answers = [line.split("\t")[1:] for line in run.stdout.decode().splitlines()]
        assert len(answers) == len(pictures), f"{len(pictures)} pictures were sent, {len(answers)} answers came"
        return [Probe(answer[0], *map(int, answer[1:])) for answer in answers]

    def compare(self, name, data, answer):
        """One answer with what Pillow says. False when Pillow does not open the picture."""
        try:
            with Image.open(io.BytesIO(data)) as image:
                size, mode, pillow_format = image.size, image.mode, image.format
        except Exception:  # Pillow raises whatever it likes on broken files
            return False
        expected_format = NAME_OF_PILLOW_FORMAT.get(pillow_format)
        if expected_format is None:
            return False
        channels = CHANNELS_OF_MODE[mode]
        if expected_format == "png":  # Pillow turns some kinds into others
            channels = CHANNELS_OF_PNG_TYPE[data[25]]
        elif expected_format in ("gif", "bmp") and mode in ("1", "L"):  # it looks whether a palette is grey
            channels = 3
        self.expect(answer.format == expected_format, name, f"Pillow says {expected_format}, the probe {answer}")
        self.expect((answer.width, answer.height) == size, name, f"Pillow says {size}, the probe {answer}")
        self.expect(answer.channels == channels, name, f"Pillow says {mode}, so {channels} channels, the probe {answer}")
        return True

    def compare_cuts(self, name, data, whole, lengths):
        """Shorter parts of a whole picture must be known as such, and must never claim another size."""
        lengths = [length for length in lengths if 0 <= length < len(data)]
        for length, part in zip(lengths, self.probe([data[:length] for length in lengths])):
            cut = f"the first {length} of {len(data)} bytes"
            self.expect(part.format == "not found" or part.damaged == 1, name, f"{cut} pass for whole")
            for field in ("width", "height", "channels", "bits"):
                value = getattr(part, field)
                self.expect(value in (0, getattr(whole, field)), name, f"of {cut} the probe says {field} {value}")

    def end(self, name):
        print(f"{name}: {self.checked} checks, {self.failed} failed, {self.skipped} skipped", flush=True)
        if self.failed:
            return 1
        return 77 if self.skipped else 0
