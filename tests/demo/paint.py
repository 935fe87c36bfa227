# SPDX-License-Identifier: Apache-2.0
"""Paint box of the sample pictures: a canvas in relative units, noise that falls with frequency, light and soft shapes."""

import numpy as np
from PIL import Image


def fractal(rng, width, height, cells, octaves=6, gain=0.5, stretch=1.0):
    """Noise over 0..1 that gets weaker as it gets finer, as in clouds, rock and water; stretch > 1 draws it out sideways."""
    total = np.zeros((height, width), np.float32)
    shorter = min(width, height)
    weight = 1.0
    for octave in range(octaves):
        grid = cells * 2.0**octave
        rows = int(grid * height / shorter) + 2
        columns = int(grid * width / shorter / stretch) + 2
        if octave and rows > 2 * height:
            break
        coarse = Image.fromarray(rng.random((rows, columns), np.float32))
        total += weight * np.asarray(coarse.resize((width, height), Image.BICUBIC))
        weight *= gain
    low, high = float(total.min()), float(total.max())
    return (total - low) / max(high - low, 1e-6)


def skyline(rng, xs, cells, octaves=6, gain=0.5, smooth=True):
    """Height over x of a chain of hills (smooth) or rocks, mean about 0, height about 1."""
    span = float(xs.max()) + 1e-3
    total = np.zeros(xs.shape, np.float32)
    weight = 1.0
    for octave in range(octaves):
        knots = int(cells * 2**octave * span) + 3
        place = xs / span * (knots - 2)
        left = place.astype(np.int32)
        part = place - left
        if smooth:
            part = part * part * (3 - 2 * part)
        heights = rng.random(knots, np.float32)
        total += weight * (heights[left] * (1 - part) + heights[left + 1] * part - 0.5)
        weight *= gain
    return total


def step(low, high, value):
    """0 below low, 1 above high, smooth between."""
    part = np.clip((value - low) / (high - low), 0, 1)
    return part * part * (3 - 2 * part)


def mix(first, second, part):
    """Colour between two."""
    return tuple(a + (b - a) * part for a, b in zip(first, second))


class Canvas:
    """Colours 0..255 as floats; y runs from 0 at the top to 1, x from 0 to width / height."""

    def __init__(self, width, height, rng):
        self.width, self.height, self.rng = width, height, rng
        self.pixel = 1.0 / height
        self.aspect = width / height
        self.y = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
        self.x = ((np.arange(width, dtype=np.float32) + 0.5) / height)[None, :]
        self.rgb = np.zeros((height, width, 3), np.float32)

    def uniform(self, low, high):
        return float(self.rng.uniform(low, high))

    def pick(self, choices):
        return choices[int(self.rng.integers(len(choices)))]

    def noise(self, cells, octaves=6, gain=0.5, stretch=1.0):
        return fractal(self.rng, self.width, self.height, cells, octaves, gain, stretch)

    def fill(self, stops):
        """Vertical gradient; stops: (y, colour), y ascending."""
        places = [place for place, _ in stops]
        for channel in range(3):
            self.rgb[:, :, channel] = np.interp(self.y, places, [colour[channel] for _, colour in stops])

    def paint(self, mask, colour):
        """Lays a colour (one, or one a pixel) over the picture, as thick as mask says."""
        mask = np.broadcast_to(mask, (self.height, self.width))[:, :, None]
        self.rgb += (np.asarray(colour, np.float32) - self.rgb) * mask

    def light(self, mask, colour):
        """Adds light."""
        mask = np.broadcast_to(mask, (self.height, self.width))[:, :, None]
        self.rgb += mask * np.asarray(colour, np.float32)

    def shade(self, factor):
        self.rgb *= np.broadcast_to(factor, (self.height, self.width))[:, :, None]

    def inside(self, distance, soft=1.0):
        """Mask of a shape from its signed distance (negative inside), edges soft by that many pixels."""
        return np.clip(0.5 - distance / (self.pixel * soft), 0, 1)

    def distance(self, cx, cy, wide=1.0):
        return np.sqrt(((self.x - cx) / wide) ** 2 + (self.y - cy) ** 2)

    def window(self, cx, cy, reach):
        """Rows and columns within reach of a point: small shapes need not touch the whole picture."""
        rows = slice(max(0, int((cy - reach) * self.height)), max(0, int((cy + reach) * self.height) + 2))
        columns = slice(max(0, int((cx - reach) * self.height)), max(0, int((cx + reach) * self.height) + 2))
        return rows, columns

    def patch(self, cx, cy, reach):
        """Canvas on a part of this one that shares its pixels, or None outside the picture."""
        rows, columns = self.window(cx, cy, reach)
        part = object.__new__(Canvas)
        part.rgb = self.rgb[rows, columns]
        part.height, part.width = part.rgb.shape[:2]
        if part.height == 0 or part.width == 0:
            return None
        part.rng, part.pixel, part.aspect = self.rng, self.pixel, self.aspect
        part.y, part.x = self.y[rows], self.x[:, columns]
        return part

    def mirror(self, horizon, tint, ripple):
        """Still or moving water below the horizon that shows what is above it."""
        top = int(horizon * self.height)
        rows = np.arange(top, self.height)
        if top < 2 or len(rows) == 0:
            return
        depth = (rows - top + 1)[:, None] / self.height
        waves = fractal(self.rng, self.width, len(rows), 10, 4, 0.6, stretch=5.0) - 0.5
        source = 2 * top - rows[:, None] - 1 + waves * ripple * self.height * (0.3 + 2 * depth)
        source = np.clip(source, 0, top - 1).astype(np.int32)
        water = self.rgb[source, np.arange(self.width)[None, :]]
        part = np.clip(0.25 + 0.9 * depth, 0, 0.7)[:, :, None]
        self.rgb[top:] = water * (1 - part) + np.asarray(tint, np.float32) * part + waves[:, :, None] * 22

    def ground(self, horizon, texture):
        """Samples a square texture (of 0..1) as a plane that runs to the horizon; rows above it are left at 0.5."""
        out = np.full((self.height, self.width), 0.5, np.float32)
        below = np.flatnonzero(self.y[:, 0] > horizon)
        if len(below) == 0:
            return out
        far = 0.12 / (self.y[below] - horizon + 0.02)
        side = texture.shape[0]
        rows = (far * side * 0.6).astype(np.int32) % side
        columns = ((self.x - self.aspect / 2) * far * side * 0.35 + side / 2).astype(np.int32) % side
        out[below] = texture[rows, columns]
        return out

    def finish(self, grain=2.0):
        """The picture as bytes, with the grain of a sensor and darker corners."""
        corner = ((self.x / self.aspect - 0.5) ** 2 + (self.y - 0.5) ** 2).astype(np.float32)
        self.shade(1.04 - 0.3 * corner)
        speck = self.rng.standard_normal((self.height, self.width), np.float32) * grain
        return np.clip(self.rgb + speck[:, :, None], 0, 255).astype(np.uint8)
