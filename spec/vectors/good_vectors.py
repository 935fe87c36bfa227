# SPDX-License-Identifier: Apache-2.0
"""Valid vectors: frames, images, names, commits. Columns and codings are in good_columns.py."""
import constants as c
import scenes
from archive_builder import ArchiveBuilder
from frame import Frame, extension
from pictures import gif, noise, pnm, qoi
from scenes import extensions
from vector import good

# Pairs of names with equal hash40 under the builder's name_seed, found by trying three million names.
TIES = (("tie/44380.jpg", "tie/565211.jpg"), ("tie/63992.jpg", "tie/1430320.jpg"))
WIDE_UNKNOWN_BIT = 1 << 63


@good("a head and nothing else")
def empty(a):
    pass


@good("a header whose writer text and created_ns are as large as they may be, uuid with high bits", uuid=b"\xff" * 16,
      name_seed=(1 << 64) - 1)
def header_extremes(a):
    a.header.writer = b"w" * c.WRITER_MAX
    a.header.created_ns = (1 << 64) - 1
    a.add("a", b"a")
    a.commit()


@good("a header without writer text, name_seed 0, created at 0", name_seed=0)
def header_least(a):
    a.header.writer, a.header.created_ns = b"", 0
    a.add("a", b"a")
    a.commit()


@good("a commit without images")
def commit_without_images(a):
    a.commit("nothing yet")


@good("one image of one byte")
def one_byte(a):
    a.add("a", b"a")
    a.commit()


@good("images of no bytes, alone and between others")
def empty_images(a):
    a.add("empty", b"")
    a.add("full", b"full")
    a.add("empty too", b"")
    a.commit()


@good("pictures of four formats, and bytes of none")
def pictures(a):
    scenes.three(a)
    a.add("dot.gif", gif(), c.Format.GIF)
    a.add("noise.bin", noise(333))
    a.commit()


@good("two commits of two writer sessions with their own salts")
def two_commits(a):
    scenes.two_commits(a)


@good("four commits; the oldest run covers one image, the newest three")
def many_commits(a):
    for number in range(4):
        for image in range(1 + number * 2 // 3):
            a.add("%d/%d" % (number, image), noise(50 + number, number * 8 + image))
        a.commit("commit %d" % number)


@good("names of 1 and of 1,024 bytes, components of 255 bytes")
def name_lengths(a):
    a.add("x", b"1")
    a.add("/".join(letter * 204 for letter in "abcde"), b"2")
    a.add("c" * 255 + "/" + "d" * 255, b"3")
    a.commit()


@good("names beyond ASCII: composed and decomposed letters are different names")
def name_unicode(a):
    for number, name in enumerate(("\u00e9", "e\u0301", "\u00a0", "\ufeffbom", "\U0001f408/\U0010ffff", " ", "...", ".a", "a..",
                                   "~")):
        a.add(name, b"%d" % number)
    a.commit()


@good("two pairs of names with equal hash40 in one part")
def name_ties(a):
    for pair in TIES:
        for name in pair:
            a.add(name, name.encode())
    a.commit()


@good("names with equal hash40 in two parts; the older of one pair is dead")
def name_ties_over_parts(a):
    a.add(TIES[0][0], b"0")
    a.add(TIES[1][0], b"1")
    a.commit()
    a.add(TIES[0][1], b"2")
    a.add(TIES[1][1], b"3")
    a.remove(0)
    a.commit()


@good("120 names in the fewest slots: displaced keys")
def slots_dense(a):
    for number in range(120):
        a.alias("n%d" % number, 0) if number else a.add("n0", b"n")
    a.commit()


@good("names in the most slots that are allowed: 2 * keys + 4")
def slots_sparse(a):
    a.slot_counts = lambda keys: 2 * keys + 4
    scenes.two_commits(a)


@good("NAMES parts merged by the third commit; the old frames stay in the file, listed nowhere")
def names_merged(a):
    scenes.two_commits(a)
    a.remove(1)
    a.add("bird.pgm", pnm(2, 1), c.Format.PNM)
    a.commit(merge_names=True)


@good("three runs merged into one by the third commit")
def runs_merged(a):
    scenes.two_commits(a)
    a.add("bird.pgm", pnm(2, 1), c.Format.PNM)
    a.commit(merge_runs_from=0, merge_names=True)


@good("the two newest of three runs merged, masks rewritten, in a commit without new images")
def runs_merged_partly(a):
    scenes.removed(a)
    a.add("six", b"6")
    a.remove(4)
    a.commit()
    a.commit(merge_runs_from=1)


@good("a removed image, in the commit after it was added")
def removed(a):
    scenes.three(a)
    a.remove(1)
    a.commit()


@good("every image removed: nothing is listed")
def removed_all(a):
    scenes.three(a)
    for ordinal in range(3):
        a.remove(ordinal)
    a.commit()


@good("an image removed in the same commit that added it")
def removed_at_once(a):
    a.add("gone", b"gone")
    a.add("here", b"here")
    a.remove(0)
    a.commit()


@good("a name that was replaced twice: three images of that name, the last of them live")
def replaced(a):
    for number in range(3):
        a.add("same/name", b"%d" % number)
        if number:
            a.remove(number - 1)
        a.commit()


@good("two runs with masks, attachments with and without a name")
def masks_and_attachments(a):
    scenes.removed(a)


@good("an attachment that is dead counts as dead, not as attached")
def attachment_removed(a):
    a.add("a", b"a")
    a.add("a.thumb", b"t", attachment=True)
    a.add("", b"m", attachment=True)
    a.remove(1)
    a.commit()


@good("a run of 2,100 rows: RANK with two elements")
def rank_of_two(a):
    a.add("first", b"1")
    for _ in range(2097):
        a.remove(a.add("", b"", attachment=True))
    a.add("last but one", b"2")
    a.add("last", b"3")
    a.commit()


@good("aliases in the same and in a later commit")
def aliases(a):
    scenes.aliases(a)


@good("aliases of a dead image, of a coded image, of an attachment, and a dead alias", text_codec=c.CODEC_ZSTD)
def aliases_of_all_kinds(a):
    a.add("dead", b"dead")
    a.add("coded", scenes.TEXT, coding=c.CODING_ZSTD)
    a.add("", b"thumb", attachment=True)
    for target in range(3):
        a.alias("of %d" % target, target)
    a.alias("gone", 1)
    a.alias("", 1, attachment=True)
    a.remove(0)
    a.remove(6)
    a.commit()


@good("stored bytes at multiples of 64: PAD frames before images", alignment_log2=6)
def alignment_64(a):
    scenes.aligned(a)


@good("stored bytes at multiples of 16", alignment_log2=4)
def alignment_16(a):
    scenes.aligned(a)


@good("stored bytes at multiples of 4,096, also those of an empty image", alignment_log2=12)
def alignment_4096(a):
    a.add("a", noise(100))
    a.add("b", b"")
    a.commit()


@good("PAD frames where nobody needs them: empty, and of an odd number of bytes")
def pads(a):
    a.append(Frame(c.FrameType.PAD))
    a.add("a", b"a")
    for size in (1, 7, 8, 100):
        a.append(Frame(c.FrameType.PAD, bytes(size)))
    a.add("b", b"b")
    a.commit()


@good("extensions that are not critical, on IMAGE and ALIAS")
def extensions_not_critical(a):
    scenes.extended(a)
    a.alias("b", 0, ext=extensions((0x7FFF, b"x" * 9)))
    a.commit()


@good("a frame header of 255 units: the longest name and extensions of 968 bytes")
def header_of_255_units(a):
    name = "/".join(letter * 204 for letter in "abcde")
    a.add(name, b"x", ext=extension(5, noise(964)))
    a.alias(name[::-1], 0, ext=extension(5, noise(960)))
    a.commit()


@good("NO_HINTS: both hints stay zero")
def no_hints(a):
    a.compat |= c.Compat.NO_HINTS
    a.header.compat = int(a.compat)
    scenes.two_commits(a)


@good("three commits and only the hint of the first")
def hint_stale(a):
    a.add("a", b"a")
    a.commit()
    a.add("b", b"b")
    a.commit(hint=False)
    a.add("c", b"c")
    a.commit(hint=False)


@good("two commits and only hint B")
def hint_b_only(a):
    scenes.three(a)
    a.add("b", b"b")
    a.commit()
    del a.hints[0]


@good("two commits and no hint at all, without NO_HINTS")
def hints_absent(a):
    scenes.two_commits(a)
    a.hints.clear()


@good("a sealed archive")
def sealed(a):
    a.add("a", b"a")
    a.commit(sealed=True)


@good("a CODING frame that no record names: it is a frame like others")
def coding_frame_unlisted(a):
    a.append(Frame(c.FrameType.CODING, noise(20), format=2, coding=9))
    a.add("a", b"a")
    a.commit()


@good("sealed, then appended to by a commit that clears the flag")
def unsealed(a):
    sealed(a)
    a.add("b", b"b")
    a.commit()


@good("messages of no bytes, of 254 bytes, and beyond ASCII")
def messages(a):
    a.add("a", b"a")
    a.commit("m" * c.MESSAGE_MAX)
    a.commit("Größe \U0001f408")


@good("an unknown compat bit, and a frame of a type that is skipped for it")
def unknown_compat_bit(a):
    a.compat |= WIDE_UNKNOWN_BIT
    a.add("a", b"a")
    a.append(Frame(200, noise(100), ordinal=7, name=b"future", format=9, coding=9, ext=b"xyz", raw_bytes=5))
    a.add("b", b"b")
    a.commit()


@good("an unknown ro_compat bit: readers open it, writers do not")
def unknown_ro_compat_bit(a):
    a.ro_compat |= WIDE_UNKNOWN_BIT
    a.add("a", b"a")
    a.append(Frame(255))
    a.commit()


@good("feature bits that are declared though nothing uses them")
def bits_without_use(a):
    a.incompat, a.ro_compat = sum(c.Incompat), sum(c.RoCompat)
    scenes.three(a)


@good("the second commit is older than the first: a warning", warnings=(33,))
def time_runs_back(a):
    a.add("a", b"a")
    a.commit()
    a.add("b", b"b")
    a.commit(gap_ns=-5_000_000_000)


@good("bytes of a GIF with the format number of PNG: a warning", warnings=(52,))
def format_disagrees(a):
    a.add("a.png", gif(), c.Format.PNG)
    a.commit()


@good("a commit page of this archive, forged, whole, and at a page boundary, inside the bytes of an image")
def forged_commit_in_image(a):
    forge(a)
    a.add("after", b"after")
    a.commit()


def forge(a):
    """An image that holds the ROOT and the commit page that would show one image only. Ends with the page."""
    scenes.three(a)
    evil = ArchiveBuilder()
    scenes.three(evil)
    evil.images[0].dead = True
    start = evil.end
    name_units = Frame(c.FrameType.IMAGE, name=b"evil").units * c.UNIT
    evil.body += bytes(name_units)
    evil.commit("forged")
    a.add("evil", bytes(evil.body[start - c.HEAD_BYTES + name_units:]))
    assert a.images[-1].frame.offset == start


@good("the least and the greatest commit time", warnings=(33,))
def time_extremes(a):
    a.time_ns = (1 << 64) - 2_000_000_000
    a.add("a", b"a")
    a.commit()
    a.time_ns = 0
    a.commit("at zero", gap_ns=0)


@good("names that arrive in no order")
def names_unsorted(a):
    for name in ("z", "a/b/c", "m", "a", "A", "a/b-", "a-b"):
        a.add(name, name.encode())
    a.commit()


@good("the same bytes three times, each in a frame of its own")
def same_bytes(a):
    for number in range(3):
        a.add("copy %d.qoi" % number, qoi(), c.Format.QOI)
    a.commit()


@good("names over two groups of 65,536 bytes", text_codec=c.CODEC_ZSTD)
def name_groups(a):
    a.add("n", b"n")
    for number in range(66):
        a.add("/".join([letter * 250 for letter in "abcd"] + ["%d" % number]), b"")
    a.commit()


@good("names of more than one block of the hash list, coded with zstd", text_codec=c.CODEC_ZSTD)
def name_text_zstd(a):
    for number in range(150):
        a.alias("class/%05d.jpg" % number, 0) if number else a.add("class/0.jpg", b"n")
    a.commit()
