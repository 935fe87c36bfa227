# SPDX-License-Identifier: Apache-2.0
"""Ten kinds of picture, each drawn anew from random numbers: what the class folders of the sample hold."""

import numpy as np

from paint import fractal, mix, skyline, step

SKIES = [
    ((66, 118, 190), (190, 214, 236)),
    ((42, 92, 168), (214, 226, 236)),
    ((96, 140, 186), (226, 222, 212)),
    ((120, 136, 156), (206, 208, 210)),
]
EVENINGS = [
    ((36, 42, 96), (186, 84, 92), (255, 190, 96)),
    ((60, 56, 120), (222, 110, 84), (255, 214, 130)),
    ((22, 30, 70), (120, 60, 110), (250, 140, 90)),
    ((88, 110, 160), (240, 160, 120), (255, 228, 170)),
]
WATERS = [((10, 54, 96), (70, 160, 176)), ((20, 66, 84), (96, 150, 150)), ((16, 40, 74), (80, 130, 170))]
GIANTS = [((226, 190, 140), (150, 96, 66)), ((196, 206, 226), (96, 122, 176)), ((236, 220, 180), (190, 150, 96))]
WORLDS = [((34, 80, 150), (92, 128, 66)), ((150, 70, 44), (206, 130, 88)), ((40, 96, 120), (170, 160, 120))]
SILKS = [(206, 52, 48), (240, 182, 44), (40, 104, 172), (246, 240, 226), (60, 142, 84), (122, 62, 140)]
PETALS = [
    [(226, 66, 84), (244, 128, 150)],
    [(250, 214, 60), (246, 168, 40)],
    [(240, 238, 248), (216, 200, 236)],
    [(120, 84, 190), (170, 130, 220)],
]
PEELS = {"orange": [(236, 132, 30)], "apple": [(190, 36, 34), (140, 176, 60)], "lemon": [(240, 210, 60)], "plum": [(88, 44, 96)]}


def clouds(c, colour, amount, until=1.0):
    """Clouds that thin out towards y = until."""
    shape = c.noise(2.2, 6, 0.55, stretch=2.2)
    mask = step(1.0 - amount, 1.25 - amount * 0.6, shape) * step(0, 0.25, until - c.y)
    c.paint(mask * 0.9, colour)
    c.light(mask * (shape - 0.75), (30, 30, 34))


def sunset(c):
    horizon = c.uniform(0.52, 0.74)
    top, middle, low = c.pick(EVENINGS)
    sun_x, sun_y = c.uniform(0.15, 0.85) * c.aspect, horizon - c.uniform(0.01, 0.2)
    c.fill([(0, top), (horizon * 0.65, middle), (horizon, low)])
    clouds(c, mix(top, middle, 0.6), c.uniform(0.4, 0.8), horizon)
    away = c.distance(sun_x, sun_y)
    c.light(np.exp(-away * 6), (150, 100, 40))
    c.paint(c.inside(away - c.uniform(0.035, 0.07), 2), (255, 246, 214))
    c.light(np.exp(-away * 22), (110, 90, 50))
    if c.rng.random() < 0.65:
        c.mirror(horizon, mix(top, middle, 0.4), 0.06)
        sparkle = step(0.5, 0.8, c.noise(14, 4, 0.7, stretch=5))
        path = np.exp(-(((c.x - sun_x) / (0.03 + 0.35 * np.clip(c.y - horizon, 0, 1))) ** 2))
        c.light(path * sparkle * (c.y > horizon), mix(low, (255, 255, 255), 0.3))
    for layer in range(int(c.rng.integers(1, 4))):
        edge = horizon + 0.02 + layer * 0.1 - 0.13 * skyline(c.rng, c.x, 1.5)
        c.paint(c.inside(edge - c.y), mix(mix(top, middle, 0.3), (8, 6, 14), 0.45 + layer * 0.25))


def mountains(c):
    high, low = c.pick(SKIES)
    c.fill([(0, high), (0.75, low)])
    clouds(c, (248, 248, 250), c.uniform(0.3, 0.7), 0.6)
    rock, snow = c.pick([((92, 88, 96), (244, 246, 252)), ((110, 94, 84), (250, 246, 240))])
    relief = c.noise(5, 6, 0.62)
    faces = np.clip(np.gradient(relief, axis=1) / c.pixel * 0.11, -0.55, 0.55)
    sun = c.pick([-1, 1])
    layers = int(c.rng.integers(3, 5))
    snowline = c.uniform(0.3, 0.45)
    for layer in range(layers):
        near = layer / (layers - 1)
        edge = 0.34 + 0.42 * near - (0.42 - 0.26 * near) * skyline(c.rng, c.x, 1.2 + near, 7, 0.48, smooth=near > 0.6)
        body = c.inside(edge - c.y)
        lit = np.clip(0.8 + sun * faces * (1.3 - 0.6 * near) + 0.5 * (relief - 0.5), 0.25, 1.45)
        forest = mix(rock, (48, 74, 44), near)
        cap = step(0.02, 0.1, snowline - c.y + 0.35 * (relief - 0.5)) * (1 - near)
        tone = np.asarray(forest, np.float32) * (1 - cap[..., None]) + np.asarray(snow, np.float32) * cap[..., None]
        haze = 0.6 * (1 - near) ** 1.3
        c.paint(body, tone * lit[..., None] * (1 - haze) + np.asarray(low, np.float32) * haze)
    if c.rng.random() < 0.4:
        c.mirror(c.uniform(0.68, 0.8), (40, 70, 90), 0.02)


def sea(c):
    horizon = c.uniform(0.3, 0.55)
    high, low = c.pick(SKIES)
    c.fill([(0, high), (horizon, low)])
    clouds(c, (250, 250, 252), c.uniform(0.35, 0.8), horizon)
    deep, shallow = c.pick(WATERS)
    part = np.clip((c.y - horizon) / (1 - horizon), 0, 1)
    swell = c.ground(horizon, fractal(c.rng, 512, 512, 14, 6, 0.62))
    deep, shallow = np.asarray(deep, np.float32), np.asarray(shallow, np.float32)
    water = deep + (shallow - deep) * (0.15 + 0.6 * part * swell)[..., None]
    c.paint(c.inside(horizon - c.y), water + (swell - 0.5)[..., None] * 70)
    c.paint(step(0.72, 0.9, swell) * (part > 0) * (0.3 + 0.6 * part), (236, 244, 246))
    if c.rng.random() < 0.5:
        sail(c, c.uniform(0.2, 0.8) * c.aspect, horizon + 0.02, c.uniform(0.08, 0.2))
    if c.rng.random() < 0.4:
        shore = 0.86 + 0.1 * skyline(c.rng, c.x, 1.2, 5)
        c.paint(c.inside(shore - 0.03 - c.y, 6) * 0.8, (240, 246, 246))
        c.paint(c.inside(shore - c.y, 4), np.asarray((208, 186, 146)) + 40 * (c.noise(30, 4, 0.7) - 0.5)[..., None])


def sail(c, cx, base, size):
    """A small sailing boat."""
    up = base - c.y
    for side, colour in ((1, (250, 248, 240)), (-1, (214, 84, 66))):
        reach = size * 0.42 * (1 - up / size)
        beside = side * (c.x - cx)
        c.paint(c.inside(np.maximum(beside - reach, np.maximum(0.006 - beside, size * 0.08 - up))), colour)
    hull = np.maximum(np.abs(c.x - cx) - size * (0.34 + 0.9 * up), np.abs(up) - size * 0.07)
    c.paint(c.inside(hull), (70, 44, 34))


def forest(c):
    fog, dark = c.pick([((206, 216, 214), (18, 40, 28)), ((232, 208, 168), (36, 40, 26)), ((176, 196, 210), (14, 34, 40))])
    c.fill([(0, mix(fog, (255, 255, 255), 0.35)), (0.8, fog)])
    away = c.distance(c.uniform(0.2, 0.8) * c.aspect, c.uniform(0.05, 0.35))
    c.light(np.exp(-away * 4), (50, 44, 26))
    leaves = c.noise(24, 4, 0.75)
    layers = int(c.rng.integers(4, 6))
    for layer in range(layers):
        near = (layer + 1) / layers
        base = 0.5 + 0.42 * near - 0.12 * skyline(c.rng, c.x, 1.0, 4)
        edge = np.broadcast_to(base, c.x.shape).copy()
        for _ in range(int((26 - 20 * near) * c.aspect)):
            place, tall = c.uniform(-0.05, c.aspect + 0.05), (0.14 + 0.4 * near) * c.uniform(0.6, 1.2)
            across = np.abs(c.x - place)
            tooth = tall * 0.1 * np.abs(((across / (tall * 0.035)) % 1) - 0.5)
            edge = np.minimum(edge, base - tall + across * 4.6 + tooth * 2)
        tone = np.asarray(mix(fog, dark, 0.25 + 0.7 * near), np.float32) * (0.75 + 0.5 * leaves)[..., None]
        c.paint(c.inside(edge - c.y, 1.5), tone)
        c.paint(step(0, 0.5, c.y - base) * 0.35 * (1 - near), fog)


def planet(c):
    c.fill([(0, (6, 7, 16)), (1, (14, 10, 26))])
    c.light(step(0.55, 1.0, c.noise(2, 5, 0.55)) * 0.5, c.pick([(60, 30, 80), (30, 50, 90), (80, 40, 40)]))
    stars = c.rng.random((c.height, c.width), np.float32)
    c.light(step(0.997, 1.0, stars) * c.rng.random((c.height, c.width), np.float32), (255, 250, 235))
    cx, cy, radius = c.uniform(0.3, 0.7) * c.aspect, c.uniform(0.35, 0.65), c.uniform(0.22, 0.4)
    across, up = (c.x - cx) / radius, (c.y - cy) / radius
    away = np.sqrt(across**2 + up**2)
    toward = np.sqrt(np.clip(1 - away**2, 0, 1))
    angle = c.uniform(0, 6.28)
    lit = np.clip(across * 0.75 * np.cos(angle) + up * 0.75 * np.sin(angle) + toward * 0.6, 0.02, 1.2)
    rocks = c.noise(4, 6, 0.6)
    if c.rng.random() < 0.5:
        bands = 0.5 + 0.5 * np.sin(up * c.uniform(8, 16) + 3.5 * (rocks - 0.5))
        first, second = c.pick(GIANTS)
    else:
        bands = step(0.48, 0.56, rocks)
        first, second = c.pick(WORLDS)
    ring = c.rng.random() < 0.35
    tone = np.asarray(first) + (np.asarray(second) - np.asarray(first)) * bands[..., None]
    tone = tone * (0.8 + 0.4 * rocks)[..., None] * lit[..., None]
    c.light(np.exp(-np.clip(away - 1, 0, 9) * 14) * 0.35 * (away > 1), first)
    c.paint(c.inside((away - 1) * radius, 1.5), tone)
    if ring:
        flat = np.sqrt(across**2 + (up * 3.6 + across * 0.8) ** 2)
        grooves = 0.55 + 0.45 * np.sin(flat * 40)
        band = step(1.3, 1.36, flat) * step(-2.1, -2.0, -flat) * ((away > 1) | (up * 3.6 + across * 0.8 > 0))
        c.paint(band * grooves * 0.85, (214, 196, 160))


def city(c):
    base = c.uniform(0.66, 0.95)
    top, low = c.pick([((8, 12, 34), (70, 56, 90)), ((10, 18, 40), (120, 80, 80)), ((4, 8, 22), (30, 50, 84))])
    c.fill([(0, top), (base, low)])
    clouds(c, mix(top, low, 0.7), 0.5, base)
    if c.rng.random() < 0.6:
        away = c.distance(c.uniform(0.1, 0.9) * c.aspect, c.uniform(0.08, 0.25))
        c.light(np.exp(-away * 14) * 0.4, (200, 200, 180))
        c.paint(c.inside(away - 0.035, 1.5), (244, 240, 220))
    for layer in range(3):
        left = -0.1
        while left < c.aspect:
            wide = c.uniform(0.05, 0.14) * (0.7 + 0.25 * layer)
            tall = c.uniform(0.12, 0.55) * (1.1 - 0.22 * layer)
            tower(c, left, wide, base, tall, layer / 2, mix(low, (10, 12, 20), 0.4 + 0.25 * layer))
            left += wide * c.uniform(1.0, 1.3)
    c.light(np.exp(-np.abs(c.y - base) * 22) * 0.3, (255, 180, 100))
    if base < 0.88:
        c.mirror(base, (8, 12, 26), 0.08)


def tower(c, left, wide, base, tall, near, colour):
    """A house with some of its windows lit."""
    part = c.patch(left + wide / 2, base - tall / 2, max(wide, tall) / 2 + 2 * c.pixel)
    if part is None:
        return
    beside = np.abs(part.x - left - wide / 2) - wide / 2
    body = part.inside(np.maximum(beside, np.maximum(base - tall - part.y, part.y - base)))
    part.paint(body, np.asarray(colour, np.float32) * (1.15 - 0.5 * (part.x - left) / wide)[..., None])
    cell = 0.012 + 0.012 * near
    rows, columns = ((base - part.y) / cell / 1.3).astype(np.int32), ((part.x - left) / cell).astype(np.int32)
    on = c.rng.random((int(tall / cell) + 4, int(wide / cell) + 4), np.float32)
    value = on[np.clip(rows, 0, on.shape[0] - 1), np.clip(columns, 0, on.shape[1] - 1)]
    pane = ((base - part.y) / cell / 1.3 % 1 > 0.35) & ((part.x - left) / cell % 1 > 0.4)
    lamp = c.pick([(255, 214, 140), (255, 236, 190), (200, 220, 255)])
    part.paint(body * pane * (value < c.uniform(0.2, 0.5)) * (0.35 + 0.6 * near), lamp)


def balloons(c):
    high, low = c.pick(SKIES + [((110, 130, 190), (250, 206, 170))])
    c.fill([(0, high), (0.85, low)])
    clouds(c, (252, 250, 248), c.uniform(0.35, 0.75), 0.9)
    edge = 0.88 - 0.12 * skyline(c.rng, c.x, 1.2, 5)
    meadow = np.asarray(c.pick([(96, 124, 60), (146, 130, 74), (70, 96, 66)]), np.float32)
    c.paint(c.inside(edge - c.y), meadow * (0.7 + 0.6 * c.noise(16, 5, 0.6, stretch=2.5))[..., None])
    count = int(c.rng.integers(2, 7))
    for size in sorted(c.uniform(0.045, 0.2) for _ in range(count)):
        balloon(c, c.uniform(0.08, 0.92) * c.aspect, c.uniform(0.15, 0.62), size)


def balloon(c, cx, cy, size):
    part = c.patch(cx, cy + size * 0.3, size * 1.7)
    if part is None:
        return
    across, up = (part.x - cx) / size, (part.y - cy) / size
    taper = np.where(up > 0, 1 - 0.42 * np.clip(up, 0, 1.3) ** 1.6, np.sqrt(np.clip(1 - up**2, 0, 1)))
    envelope = part.inside(np.maximum(np.abs(across) - taper, np.maximum(-1 - up, up - 1.12)) * size, 1.5)
    around = np.arcsin(np.clip(across / np.maximum(taper, 0.05), -1, 1))
    colours = np.asarray([c.pick(SILKS) for _ in range(3)])
    gores = np.floor((around + 1.58) * c.pick([2.0, 3.0, 4.0])).astype(np.int32)
    if c.rng.random() < 0.4:
        gores = np.broadcast_to(np.floor((up + 1) * c.uniform(2, 5)).astype(np.int32), gores.shape)
    tone = colours[gores % 3].astype(np.float32)
    lit = np.clip(0.62 + 0.5 * np.cos(around + 0.7) - 0.22 * up, 0.3, 1.25) * (1 - 0.12 * np.cos(around * 12) ** 8)
    for side in (-1, 1):
        rope = np.abs(across - side * (0.2 - 0.1 * (up - 1.1))) * size - 0.004
        part.paint(part.inside(np.maximum(rope, np.maximum(1.1 - up, up - 1.45) * size)) * 0.7, (60, 50, 44))
    part.paint(part.inside(np.maximum(np.abs(across) - 0.17, np.abs(up - 1.53) - 0.12) * size), (112, 74, 42))
    part.paint(envelope, tone * lit[..., None])


def flowers(c):
    green = c.pick([(64, 104, 44), (44, 84, 50), (96, 120, 60)])
    c.fill([(0, mix(green, (220, 226, 180), 0.45)), (1, mix(green, (10, 26, 10), 0.5))])
    blur = c.noise(4, 3, 0.5)
    c.light(blur - 0.5, (70, 76, 40))
    blades = c.noise(8, 5, 0.75).T if c.width == c.height else c.noise(5, 6, 0.8)
    c.shade(0.75 + 0.5 * blades)
    petals = c.pick(PETALS)
    count = int(c.rng.integers(3, 15))
    sizes = sorted(c.uniform(0.05, 0.12 + 0.5 / count) for _ in range(count))
    for size in sizes:
        flower(c, c.uniform(0.05, 0.95) * c.aspect, c.uniform(0.1, 0.9), size, c.pick(petals), int(c.rng.integers(5, 14)))


def flower(c, cx, cy, size, colour, petals):
    part = c.patch(cx, cy + size, size * 2.2)
    if part is None:
        return
    stem = np.abs(part.x - cx - 0.08 * np.sin((part.y - cy) * 6)) - size * 0.05
    part.paint(part.inside(np.maximum(stem, cy - part.y)) * 0.85, (56, 96, 40))
    tilt = c.uniform(0.65, 1.0)
    across, up = (part.x - cx) / size, (part.y - cy) / size / tilt
    away = np.sqrt(across**2 + up**2)
    angle = np.arctan2(up, across) + c.uniform(0, 1)
    lobe = np.abs(np.cos(angle * petals / 2))
    edge = 0.62 + 0.38 * np.sqrt(lobe)
    part.shade(1 - 0.4 * np.exp(-(((away - 0.3) / 0.9) ** 2) * 2) * (away > edge))
    lit = (0.62 + 0.3 * lobe + 0.22 * away - 0.16 * np.cos(angle - 2.2)) * (1 + 0.06 * np.sin(angle * petals * 6))
    part.paint(part.inside((away - edge) * size, 1.5), np.asarray(colour, np.float32) * np.clip(lit, 0.3, 1.2)[..., None])
    heart = c.uniform(0.2, 0.34)
    dots = 0.7 + 0.5 * np.sin(across * 40) * np.sin(up * 40)
    part.paint(part.inside((away - heart) * size, 2), np.asarray((200, 142, 40), np.float32) * (dots * (1.1 - away))[..., None])


def fruit(c):
    table = c.pick([(150, 104, 66), (188, 178, 164), (94, 70, 58), (120, 130, 138)])
    wall = c.pick([(206, 196, 178), (120, 134, 140), (70, 66, 74), (214, 206, 200)])
    rim = c.uniform(0.3, 0.48)
    c.fill([(0, mix(wall, (0, 0, 0), 0.25)), (rim, wall)])
    c.light(np.exp(-c.distance(0.1, 0.0) * 1.6), (60, 54, 40))
    grain = c.noise(3, 6, 0.6, stretch=9)
    c.paint(c.inside(rim - c.y), np.asarray(table, np.float32) * (0.65 + 0.35 * grain + 0.3 * (c.y - rim))[..., None])
    count = int(c.rng.integers(2, 8))
    pieces = sorted((rim + c.uniform(0.08, 0.42), c.uniform(0.12, 0.88) * c.aspect, c.uniform(0.08, 0.17)) for _ in range(count))
    for base, cx, size in pieces:
        ball(c, cx, base - size * 0.8, size)


def ball(c, cx, cy, size):
    """An apple, an orange, a lemon or a plum, with its shadow."""
    kind, wide = c.pick([("orange", 1.0), ("apple", 1.05), ("lemon", 1.3), ("plum", 1.1)])
    colour = c.pick(PEELS[kind])
    part = c.patch(cx, cy, size * 3.6)
    if part is None:
        return
    shadow = np.sqrt(((part.x - cx - size * 0.5) / 1.5 / wide) ** 2 + ((part.y - cy - size * 0.9) * 3.2) ** 2)
    part.shade(1 - 0.62 * np.exp(-((shadow / size) ** 3)))
    across, up = (part.x - cx) / size / wide, (part.y - cy) / size
    away = np.sqrt(across**2 + up**2)
    toward = np.sqrt(np.clip(1 - away**2, 0, 1))
    lit = np.clip(-0.5 * across - 0.6 * up + 0.62 * toward, 0, 1)
    skin = fractal(c.rng, part.width, part.height, 14 if kind == "orange" else 5, 4, 0.7)
    tone = np.asarray(colour, np.float32) * ((0.26 + 0.85 * lit) * (0.82 + 0.36 * skin))[..., None]
    body = part.inside((away - 1) * size, 1.5)
    part.paint(body, tone)
    shine = np.clip((-0.42 * across - 0.52 * up + 0.74 * toward), 0, 1) ** 26
    part.light(body * shine * (0.7 if kind in ("apple", "plum") else 0.35), (255, 250, 240))
    if kind == "apple":
        part.paint(part.inside(np.maximum(np.abs(across - 0.05 * up), np.abs(up + 1.0) - 0.2) * size - size * 0.05), (70, 48, 30))


def dunes(c):
    horizon = c.uniform(0.28, 0.45)
    high, low = c.pick([((60, 120, 190), (232, 214, 180)), ((90, 110, 170), (246, 190, 140)), ((40, 70, 130), (220, 170, 140))])
    c.fill([(0, high), (horizon + 0.1, low)])
    sand = c.pick([(222, 168, 104), (206, 140, 84), (232, 196, 142)])
    light = c.pick([-1, 1])
    ripples = fractal(c.rng, 384, 384, 40, 3, 0.6)
    relief = c.ground(horizon - 0.05, ripples) - 0.5
    layers = int(c.rng.integers(3, 6))
    for layer in range(layers):
        near = layer / (layers - 1)
        crest = horizon + 0.5 * near**1.3 - (0.07 + 0.14 * near) * skyline(c.rng, c.x, 1.6 - 0.6 * near, 3, 0.4)
        down = c.y - crest
        body = crest + 0.8 * skyline(c.rng, c.x + 0.6 * np.clip(down, 0, 1), 1.3, 2) * np.clip(down, 0, 1)
        slope = np.gradient(body, axis=1) / c.pixel
        lit = np.clip(0.9 + light * 0.8 * slope + relief * (0.08 + 0.3 * near), 0.3, 1.25)
        tone = np.asarray(sand, np.float32) * lit[..., None]
        haze = 0.55 * (1 - near)
        c.paint(c.inside(-down), tone * (1 - haze) + np.asarray(low, np.float32) * haze)
        c.light(np.exp(-np.abs(down) / 0.006) * 0.3, (60, 50, 30))


SCENES = {
    "balloons": balloons,
    "city": city,
    "dunes": dunes,
    "flowers": flowers,
    "forest": forest,
    "fruit": fruit,
    "mountains": mountains,
    "planet": planet,
    "sea": sea,
    "sunset": sunset,
}
