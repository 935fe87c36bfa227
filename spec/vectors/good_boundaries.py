# SPDX-License-Identifier: Apache-2.0
"""Valid vectors at the boundaries of sizes and counts: one on each side and one at the boundary."""
import constants as c
from checksum import round_up
from frame import Frame, extension
from good_columns import fill
from pictures import noise
from slots import hash40
from vector import good

NAME_SEED = 0x1122334455667788  # of the builder


def boundary(name, what, fill_archive, **options):
    fill_archive.__name__ = name
    good(what, **options)(fill_archive)


def images(*sizes):
    """An archive of images of these sizes."""
    def build(a):
        for number, size in enumerate(sizes):
            a.add("%d" % number, noise(size, number))
        a.commit()
    return build


for size in (0, 1, 7, 8, 9, 15, 16, 17, 4095, 4096, 4097):
    boundary("image_bytes_%d" % size, "an image of %d bytes" % size, images(size))
for size in (65535, 65536, 65537):
    boundary("image_bytes_%d" % size, "an image of %d bytes, all zero" % size,
             lambda a, size=size: (a.add("zero", bytes(size)), a.commit()))

# lenclass: the frame of a name of one byte has 56 bytes before the image
for step in (64, 72, 120, 128, 144, 240, 256, 288, 512, 4096, 4608, 8192):
    boundary("lenclass_%d" % step, "frames of %d bytes, where a lenclass ends, and of one unit more" % step,
             images(step - 56, step - 48))


def named(*names):
    def build(a):
        for number, name in enumerate(names):
            a.add(name, b"%d" % number)
        a.commit()
    return build


def long_name(size):
    """Components of 204 bytes, the last as long as it takes."""
    whole, rest = divmod(size, 205)
    return "/".join(["n" * 204] * whole + ["r" * rest] if rest else ["n" * 204] * (whole - 1) + ["n" * 205])


for size in (1, 7, 8, 9, 1023, 1024):
    boundary("name_bytes_%d" % size, "a name of %d bytes" % size, named(long_name(size)))
for size in (254, 255):
    boundary("name_component_%d" % size, "components of %d bytes, alone, first and last" % size,
             named("c" * size, "f" * size + "/x", "x/" + "l" * size))
boundary("name_each_padding", "names of 1 to 16 bytes: each number of bytes of padding",
         named(*("x" * size for size in range(1, 17))))
boundary("name_depth_512", "a name of 512 components of one byte", named("/".join("d" * 512)))
for code in (0x20, 0x7E, 0xA0, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFD, 0xFFFF, 0x10000, 0x10FFFF):
    boundary("name_code_point_%x" % code, "a name with U+%04X, alone and between others" % code,
             named(chr(code), "a%sb" % chr(code)))
boundary("name_dots", "components that begin or end with dots and are neither . nor ..",
         named(".../x", "x/...", ".x/y.", "..x", "x..", ". .", ".. "))


def units(count):
    """A frame header of that many units: a name of 9 bytes and extensions."""
    def build(a):
        a.add("123456789", b"x", ext=extension(1, noise(count * 8 - 48 - 9 - 4)))
        a.alias("987654321", 0, ext=extension(2, noise(count * 8 - 48 - 9 - 4, 1)))
        a.commit()
    return build


for count in (9, 127, 128, 254, 255):
    boundary("header_units_%d" % count, "frame headers of %d units" % count, units(count))
boundary("extension_empty", "an extension without a body fills ext alone",
         lambda a: (a.add("a", b"a", ext=extension(0, b"")), a.commit()))
boundary("extensions_many", "eighty extensions of no bytes", lambda a: (
    a.add("a", b"a", ext=b"".join(extension(kind, b"") for kind in range(80))), a.commit()))


def rows(count):
    def build(a):
        a.add("0", b"bytes")
        for row in range(1, count):
            a.alias("%d" % row, 0)
        a.commit()
    return build


def masked_rows(count):
    """All but the first and the last are dead and have no name, so that the JSON is short."""
    def build(a):
        a.add("first", b"1")
        for _ in range(count - 2):
            a.remove(a.add("", b"", attachment=True))
        a.add("last", b"2")
        a.commit()
    return build


for count in (2, 63, 64, 65, 127, 128, 129):
    boundary("rows_%d" % count, "a run of %d rows without a mask; ENTRIES of %d bytes" % (count, 32 * count), rows(count))
for count in (3, 7, 8, 9, 63, 64, 65, 127, 128, 129, 2047, 2048, 2049, 4095, 4096, 4097):
    boundary("mask_rows_%d" % count, "a run of %d rows of which only the first and the last are listed" % count,
             masked_rows(count))


def last_dead(count):
    def build(a):
        rows(count)(a)
        a.remove(count - 1)
        a.commit()
    return build


for count in (8, 9, 64, 65):
    boundary("mask_last_of_%d" % count, "a run of %d rows of which the last is dead" % count, last_dead(count))


def text_section(size):
    """A GROUPS section of that many bytes: a length, a text, a record."""
    def build(a):
        a.define("text", c.Type.UTF8)
        a.add("a", b"a", text="t" * (size - 4 - c.GROUP_RECORD_BYTES))
        a.commit()
    return build


for size in (4095, 4096, 4097, 8191, 8192, 8193):
    boundary("section_bytes_%d" % size, "a section of %d bytes, blocks of the hash list have 4,096" % size, text_section(size))


def groups(raw):
    def build(a):
        a.define("text", c.Type.UTF8)
        a.add("a", b"a", text="t" * (raw - 4))
        a.add("b", b"b", text="of this group or the next")
        a.commit()
    return build


for raw in (65535, 65536, 65537):
    for codec, what in ((c.CODEC_NONE, "plain"), (c.CODEC_ZSTD, "zstd")):
        boundary("group_raw_%d_%s" % (raw, what), "a first value that takes %d bytes of a group that closes at 65,536, %s" % (
            raw, what), groups(raw), text_codec=codec)


def validity(count, null):
    def build(a):
        a.define("n", c.Type.U8)
        fill(a, count, n=[None if row == null else row % 256 for row in range(count)])
        a.commit()
    return build


for count in (7, 8, 9, 63, 64, 65):
    boundary("validity_first_of_%d" % count, "a column of %d rows, the first is null" % count, validity(count, 0))
    boundary("validity_last_of_%d" % count, "a column of %d rows, the last is null" % count, validity(count, count - 1))


# name slots


def keys(count):
    return named(*("key %d" % number for number in range(count)))


def slot_count(count, slots):
    def build(a):
        a.slot_counts = lambda _: slots
        keys(count)(a)
    return build


for count, least in ((1, 2), (2, 3), (19, 20), (20, 22), (95, 100), (96, 102)):
    boundary("slots_least_of_%d" % count, "%d keys in %d slots, the fewest that may be" % (count, least), slot_count(count,
                                        least))
    boundary("slots_most_of_%d" % count, "%d keys in %d slots, the most that may be" % (count, 2 * count + 4),
             slot_count(count, 2 * count + 4))


def past_the_end(count, slots):
    """Keys whose home is the last slot: all but one stand behind it."""
    def build(a):
        found, number = [], 0
        while len(found) < count:
            name = "end %d" % number
            if hash40(name.encode(), NAME_SEED) * slots >> c.NAME_HASH_BITS == slots - 1:
                found.append(name)
            number += 1
        a.slot_counts = lambda _: slots
        named(*found)(a)
    return build


for count in (2, 5, 40):
    boundary("slots_past_the_end_%d" % count, "%d keys with the last slot as their home: max_disp is %d" % (count, count - 1),
             past_the_end(count, 2 * count + 4))


# dictionaries


def dictionary(count, narrow):
    def build(a):
        column = a.define("label", c.Type.DICTIONARY, narrow=narrow)
        column.dictionary.extend(b"value %d" % number for number in range(count))
        a.add("first", b"1", label="value 0")
        a.add("none", b"2")
        a.add("last", b"3", label="value %d" % (count - 1))
        a.commit()
    return build


for count, narrow in ((1, 1), (255, 1), (256, 1), (256, 2), (257, 2), (257, None), (65536, 2), (65537, None)):
    boundary("dictionary_%d_%s" % (count, "wide" if narrow is None else "in_%d" % narrow),
             "a dictionary of %d values, codes in %d bytes" % (count, narrow or 4), dictionary(count, narrow),
             text_codec=c.CODEC_ZSTD)


# texts of the head, the commits and the metadata


def writer_text(text):
    def build(a):
        a.header.writer = text
    return build


for size in (1, 253, 254):
    boundary("writer_bytes_%d" % size, "a writer text of %d bytes" % size, writer_text(b"w" * size))
boundary("writer_utf8", "a writer text beyond ASCII, of 254 bytes", writer_text("\u00fc".encode() * 127))
for size in (0, 1, 253, 254):
    boundary("message_bytes_%d" % size, "a message of %d bytes" % size,
             lambda a, size=size: (a.add("a", b"a"), a.commit("m" * size)))
boundary("message_control", "a message with a newline and a tab", lambda a: (a.add("a", b"a"), a.commit("a\n\tb")))


def meta(pairs):
    def build(a):
        a.meta(pairs)
        a.commit()
    return build


boundary("meta_key_1", "a key of one byte, a value of none", meta({"k": ""}))
boundary("meta_key_255", "keys of 254 and 255 bytes that begin alike", meta({"k" * 254: "1", "k" * 255: "2"}))
boundary("meta_controls", "keys with the first characters that are no control characters, a value of some that are",
         meta({" ": "1", "~": "2", "\u00a0": "\0 \x1f\x7f\u0080"}))
boundary("meta_value_70000", "a value of 70,000 bytes", meta({"long": "v" * 70000}))
boundary("meta_pairs_300", "300 pairs", meta({"%03d" % number: "value %d" % number for number in range(300)}))
boundary("meta_order", "keys whose order is that of their bytes: capitals, a prefix, letters beyond ASCII",
         meta({"Z": "1", "a": "2", "ab": "3", "a b": "4", "\u00e4": "5", "\U0001f408": "6", "\uffff": "7"}))


# many of a kind


def commits(count, **options):
    def build(a):
        for number in range(count):
            a.add("%d" % number, b"%d" % number)
            a.commit(**options)
    return build


boundary("name_parts_64", "64 commits, each with a NAMES part: the most there can be", commits(64))
boundary("content_parts_64", "64 CONTENT parts, the most there can be", commits(64, content=True))
boundary("commits_130", "130 commits; the names of all are merged by each", commits(130, merge_names=True))
boundary("commits_without_images", "nine commits of which each adds nothing",
         lambda a: [a.commit("%d" % seq) for seq in range(9)])
boundary("columns_300", "300 columns, three images with a value in every third", lambda a: (
    [a.define("c%d" % number, c.Type.U8) for number in range(300)],
    [a.add("%d" % row, b"x", **{"c%d" % number: number % 256 for number in range(row, 300, 3)}) for row in range(3)], a.commit()))


@good("codings with all 254 numbers, three of them used")
def codings_254(a):
    for number in range(2, 256):
        a.dictionary(number, noise(24, number))
    for number in (2, 128, 255):
        a.add("%d" % number, noise(24, number) * 3, coding=number)
    a.commit()


def dictionary_bytes(size):
    def build(a):
        a.dictionary(2, bytes(size))
        a.add("a", bytes(100), coding=2)
        a.commit()
    return build


for size in (1, 8, c.CODING_PAYLOAD_MAX):
    boundary("coding_payload_%d" % size, "a DICT of %d bytes" % size, dictionary_bytes(size))


# PAD


def padded(size):
    def build(a):
        a.append(Frame(c.FrameType.PAD, bytes(size)))
        a.add("a", b"a")
        a.commit()
    return build


for size in (0, 1, 7, 8, 9, 16384):
    boundary("pad_bytes_%d" % size, "a PAD of %d bytes where nobody needs it" % size, padded(size))


def before_a_page(left):
    """The commit page begins at a multiple of 4,096: so much is left before it once ROOT is written."""
    def build(a):
        a.edit("root", lambda _: fit(a))
        a.add("a", b"a")
        a.commit()

    def fit(a):
        root_bytes = c.FRAME_HEADER_BYTES + c.ROOT_FIXED_BYTES + 2 * c.PART_BYTES
        gap = (-(a.end + root_bytes) - left) % c.PAGE_BYTES
        a.pad(gap if gap == 0 or gap >= c.FRAME_HEADER_BYTES else gap + c.PAGE_BYTES)
    return build


for left in (0, 8, 40, 48, 56):
    boundary("page_gap_%d" % left, "%d bytes between ROOT and the next multiple of 4,096: %s" % (
        left, "no PAD" if left == 0 else "a PAD of %d" % (left if left >= 48 else round_up(left, 8) + 4096)), before_a_page(left))
