#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the sample of the demo: make_sample.py OUT MORE [PER_CLASS [MORE_PER_CLASS]]

OUT gets ten class folders of JPEG and PNG pictures of several sizes, MORE a few further ones of the same classes.
The same arguments give the same bytes. A folder that is there already is an error: the caller makes it anew or keeps it.
"""

import multiprocessing
import os
import sys

import numpy as np
from PIL import Image

from paint import Canvas
from scenes import SCENES

# (width, height), and how many in a hundred. Small ones are the rule in data sets, large ones keep the demo honest.
SIZES = [
    ((32, 32), 10), ((48, 48), 6), ((64, 64), 12), ((96, 96), 8), ((128, 96), 10), ((96, 128), 6), ((128, 128), 10),
    ((160, 120), 10), ((224, 224), 8), ((320, 240), 8), ((240, 320), 4), ((480, 360), 4), ((640, 480), 3), ((480, 640), 1),
]
PNG_SHARE = 0.3


def choose_size(rng):
    shares = np.array([share for _, share in SIZES], float)
    return SIZES[int(rng.choice(len(SIZES), p=shares / shares.sum()))][0]


def save_png(picture, rng, path):
    """Colour, and now and then grey, palette or with transparency, as PNGs are."""
    kind = rng.random()
    if kind < 0.1:
        picture = picture.convert("L")
    elif kind < 0.3:
        picture = picture.quantize(64)
    elif kind < 0.4:
        picture.putalpha(Image.radial_gradient("L").resize(picture.size).point(lambda value: 255 - value // 2))
    picture.save(path, "PNG", compress_level=6)


def save_jpeg(picture, rng, path):
    """The settings of cameras and web sites: quality 70 to 95, mostly 4:2:0, some progressive, some grey."""
    if rng.random() < 0.06:
        picture = picture.convert("L")
    picture.save(path, "JPEG", quality=int(rng.integers(70, 96)), subsampling=int(rng.choice([0, 2, 2])),
                 progressive=bool(rng.random() < 0.15), optimize=bool(rng.random() < 0.5))


def make_picture(job):
    folder, class_number, number = job
    name = sorted(SCENES)[class_number]
    rng = np.random.default_rng([20240229, class_number, number])
    canvas = Canvas(*choose_size(rng), rng)
    SCENES[name](canvas)
    picture = Image.fromarray(canvas.finish(grain=float(rng.uniform(0.5, 3.0))))
    png = rng.random() < PNG_SHARE
    path = os.path.join(folder, name, f"{number:04d}.{'png' if png else 'jpg'}")
    (save_png if png else save_jpeg)(picture, rng, path)
    return os.path.getsize(path)


def main(arguments):
    if len(arguments) not in (2, 3, 4):
        sys.exit(__doc__)
    out, more = arguments[:2]
    per_class, more_per_class = [int(count) for count in arguments[2:]] + [215, 12][len(arguments) - 2:]
    for folder in (out, more):
        for name in SCENES:
            os.makedirs(os.path.join(folder, name))
    jobs = [(out, index, number) for number in range(per_class) for index in range(len(SCENES))]
    jobs += [(more, index, per_class + number) for number in range(more_per_class) for index in range(len(SCENES))]
    with multiprocessing.Pool() as pool:
        sizes = pool.map(make_picture, jobs, chunksize=8)
    print(f"{len(sizes):,} pictures, {sum(sizes) / 1e6:.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
