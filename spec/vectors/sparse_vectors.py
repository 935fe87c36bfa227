# SPDX-License-Identifier: Apache-2.0
"""Vectors of great lengths, offsets and ordinals. Nobody stores them: sparse.py writes them where they are read.

In most of them a hole stands between two commits, zeros that are no frame: rule 13 and no other, and a validator steps over it,
so that files of 2^51 bytes are verified as well. An archive without a fault is read whole by a validator; with 4 GiB that takes
seconds, with more it is left to who asks for it (sparse.py --most). "verified": false: it would take hours, or days."""
from dataclasses import dataclass
from typing import Callable

import constants as c
import scenes
from checksum import Zeros
from pictures import noise, png
from sparse_archive import SparseArchive
from vector import content_of, put

SPARSE = []
T, BIT32 = c.FrameType, 1 << 32
NEAR, FAR = 3, 4  # ordinals: the first images of the first commit, and of the second
COLUMN_TEXTS = ("here", "there")


@dataclass
class SparseVector:
    folder: str
    name: str
    what: str
    build: Callable  # gives (SparseArchive, the object for the JSON)
    more: int  # bytes behind the last commit
    reads: int  # GiB that a validator reads


def declare(folder, name, what, fill, told=content_of, more=0, reads=0, **expected):
    """fill makes the archive; told gives what a reader must find in it, or None; expected: more keys of the JSON."""
    def build():
        archive = SparseArchive()
        fill(archive)
        content = told(archive) if told else {}
        return archive, {"valid": folder == "good", "what": what, "opens": True, "sparse": True, **expected, **content,
                         "file_bytes": archive.end + more}
    SPARSE.append(SparseVector(folder, name, what, build, more, reads))


# ------------------------------------------------------------------ two commits far from each other


def first_commit(a):
    a.define("number", c.Type.U32)
    a.define("place", c.Type.DICTIONARY)
    a.dictionary(2, noise(500))
    a.meta({"where": "at the beginning"})
    for number in range(NEAR):
        a.add("near/%d" % number, noise(100 + number, number), number=number, place=COLUMN_TEXTS[0])
    a.add("near/gone.png", png(3, 2), c.Format.PNG)
    a.commit("near")


def second_commit(a, content=False):
    far = a.add("far/0", noise(100, 9), number=7, place=COLUMN_TEXTS[1])
    a.add("far/across", noise(5000, 10))
    a.add("far/coded.svg", scenes.TEXT, coding=c.CODING_ZSTD, number=8)
    a.dictionary(3, noise(600, 3))
    a.add("far/trained.svg", scenes.TEXT, coding=3)
    a.alias("far/near", 0, number=9)
    a.alias("far/far", far)
    a.remove(NEAR)
    a.meta({"where": "at the end"})
    a.commit("far", content=content)


def hole_to(boundary):
    """Frames of the second commit stand before, at and behind the boundary."""
    def fill(a):
        first_commit(a)
        a.hole(boundary - 200)
        second_commit(a, content=True)
    return fill


def hole_to_the_limit(a):
    """The last commit ends where no file goes on."""
    trial = SparseArchive()
    hole_to(c.OFFSET_LIMIT - (1 << 20))(trial)
    hole_to(c.OFFSET_LIMIT - (1 << 20) + c.OFFSET_LIMIT - trial.end)(a)
    assert a.end == c.OFFSET_LIMIT


for _power in (31, 32, 35, 40, 43, 47, 48, 50):
    declare("bad", "hole-to-2-%d" % _power, "nothing up to 2^%d, and a commit on both sides of it" % _power, hole_to(1 << _power),
            rule=13, rules=[13])
declare("bad", "hole-to-the-limit", "nothing, and then a commit that ends at 2^51", hole_to_the_limit, rule=13, rules=[13])


declare("bad", "tail-to-2-40", "a commit, and zeros up to 2^40", first_commit, more=1 << 40, rule=34, rules=[34])
declare("bad", "tail-past-the-limit", "a commit, and zeros past 2^51", first_commit, more=c.OFFSET_LIMIT, rule=34, rules=[34])

# ------------------------------------------------------------------ payloads of 4 GiB, all of it read


def large_image(size):
    def fill(a):
        first_commit(a)
        a.add("large", Zeros(size))
        a.commit("large")
        second_commit(a)
        a.hints.pop(1)
    return fill


for _power, _gib in ((31, 2), (32, 4)):
    declare("good", "image-of-2-%d" % _power, "an image of 2^%d + 5 bytes, images behind it, and no hint but one from before it" %
            _power, large_image((1 << _power) + 5), reads=_gib)


def no_hints(a):
    a.hints.clear()


def pads_to(boundary, **fields):
    """Found by stepping from frame to frame alone."""
    def fill(a):
        first_commit(a)
        a.pads(boundary - 200, **fields)
        second_commit(a)
        no_hints(a)
    return fill


declare("good", "pads-to-32-gib", "PAD frames up to 2^35, no hints", pads_to(1 << 35), reads=32)

# What follows has a stored_hash that is not computed, for its payload is a terabyte.
UNREAD = {"stored_hash": 0}
for _power in (31, 32, 35, 43, 50):
    declare("bad", "pads-to-2-%d" % _power, "PAD frames with a wrong hash up to 2^%d, no hints" % _power,
            pads_to(1 << _power, **UNREAD), rule=18, verified=False)


def pads_past_the_limit(a):
    """All is right, and the commit page begins at 2^51."""
    first_commit(a)
    a.kept = content_of(a)
    a.pads(c.OFFSET_LIMIT - (1 << 16), **UNREAD)
    a.add("over", noise(100))
    root = a._write_root

    def write_root():
        written = root()
        a.pads(c.OFFSET_LIMIT, **UNREAD)
        return written
    a._write_root = write_root
    a.commit("over", hint=False)
    assert a.end == c.OFFSET_LIMIT + c.PAGE_BYTES
    no_hints(a)


declare("bad", "commit-at-the-limit", "a commit page at 2^51, to which frames lead: it is none", pads_past_the_limit,
        lambda a: a.kept, rule=34, verified=False)

# ------------------------------------------------------------------ offsets that are right but for a bit that 32 bits lose


def twin(name, rule, what, stage, edit, at=1, also=None, **keys):
    """The second commit begins 2^32 bytes behind the first image, so that its first image has the same low bits."""
    def fill(a):
        a.edit(stage, edit, at)
        if also:
            also(a)
        first_commit(a)
        a.hole(BIT32 + a.images[0].frame.offset)
        second_commit(a)
    declare("bad", name, what, fill, None, rule=rule, **keys)


def further(change, field="offset", of=lambda subject: subject):
    """Adds to an offset of the structure, or of one in it."""
    def edit(subject):
        put(**{field: getattr(of(subject), field) + change})(of(subject))
    return edit


def part(kind, last):
    return lambda root: [one for one in root.parts if one.type == kind][last]


twin("entry-2-32-further", 44, "an entry has the frame that stands 2^32 bytes behind its own", "entries",
     further(BIT32, of=lambda entries: entries[0]), 0, refuses=[0])
twin("entry-2-32-before", 44, "an entry has the frame that stands 2^32 bytes before its own", "entries",
     further(-BIT32, of=lambda entries: entries[0]), refuses=[NEAR])
twin("alias-2-32-before", 47, "an ALIASED entry has the frame that stands 2^32 bytes before that of its target", "entries",
     further(-BIT32, of=lambda entries: entries[-1]), refuses=[8])
twin("slot-2-32-before", 59, "a slot has the frame that stands 2^32 bytes before that of its image", "slots",
     lambda table: [further(-BIT32)(slot) for slot in table.placed.values() if slot.ordinal == FAR], not_found=["far/0"])
for _kind in (T.RUN, T.NAMES, T.MASK, T.VALUES):
    twin("%s-part-2-32-before" % _kind.name.lower(), 41, "a %s part has an offset that is 2^32 less" % _kind.name, "root",
         further(-BIT32, of=part(_kind, -1)), opens=False)
twin("run-part-2-32-more", 41, "a RUN part has 2^32 bytes more", "root", further(BIT32, "bytes", part(T.RUN, -1)), opens=False)
twin("coding-2-32-before", 51, "the offset of a coding is 2^32 less", "root",
     further(-BIT32, of=lambda root: root.codings[-1]), refuses=[6])
twin("meta-2-32-before", 69, "the offset of META is 2^32 less", "root", further(-BIT32, "meta_offset"), refuses_meta=True)
twin("root-2-32-before", 31, "the offset of ROOT is 2^32 less", "commit", further(-BIT32, "root_offset"), opens=False)
twin("self-2-32-before", 9, "self_offset of a commit page is 2^32 less; the hint is right", "commit",
     further(-BIT32, "self_offset"), opens=False, status="corrupt",
     also=lambda a: a.edit("hint", further(BIT32, "commit_offset"), 1))
twin("prev-2-32-further", 28, "prev_offset of a commit page is 2^32 more", "commit", further(BIT32, "prev_offset"))
twin("hint-2-32-before", 9, "a hint has a commit_offset that is 2^32 less", "hint", further(-BIT32, "commit_offset"), opens=False,
     status="corrupt")

# ------------------------------------------------------------------ the last ordinals

LAST = 3


def last_ordinals(count=c.ORDINAL_COUNT_MAX):
    def fill(a):
        a.first_run(count - LAST)
        a.define("number", c.Type.U32)
        a.define("other", c.Type.IMAGE)
        a.add("last/0", noise(100), number=1, other=count - 1)
        a.add("last/1", noise(101))
        a.alias("last/2", count - LAST, number=3)
        a.commit("the last")
    return fill


def told_of_the_last(a):
    """Positions are ordinals: nothing is dead."""
    content = content_of(a)
    images = [{**image, "position": image["ordinal"]} for image in content.pop("images")]
    return {**content, "ordinals": len(a.images), "listed": len(a.images), "some_images": images}


def last(name, rule, what, stage=None, edit=None, count=c.ORDINAL_COUNT_MAX, told=None, **keys):
    def fill(a):
        if stage:
            a.edit(stage, edit)
        last_ordinals(count)(a)
    declare("bad", name, what, fill, told, rule=rule, verified=False, **keys)


last("ordinals-to-the-limit", 18, "2^32 - 2 ordinals; but for the last three their entries are zeros that no hash covers",
     told=told_of_the_last)
last("ordinals-one-more", 37, "2^32 - 1 ordinals", count=c.ORDINAL_COUNT_MAX + 1, opens=False)
last("ordinals-two-more", 37, "2^32 ordinals", count=c.ORDINAL_COUNT_MAX + 2, opens=False)
last("listed-one-more", 65, "2^32 - 1 images are listed, of 2^32 - 2 ordinals", "root", further(1, "listed_count"), opens=False)
last("slot-of-the-next-ordinal", 59, "a slot has the first ordinal that there is not", "slots",
     lambda table: [put(ordinal=c.ORDINAL_COUNT_MAX)(slot) for slot in table.placed.values()],
     not_found=["last/0", "last/1", "last/2"])
last("slot-of-no-ordinal", 59, "slots have 2^32 - 1 for an ordinal", "slots",
     lambda table: [put(ordinal=BIT32 - 1)(slot) for slot in table.placed.values()], not_found=["last/0", "last/1", "last/2"])
last("frame-of-no-ordinal", 44, "the frame of an image has 2^32 - 1 for an ordinal", "frame %d" % T.IMAGE, put(ordinal=BIT32 - 1),
     refuses=[c.ORDINAL_COUNT_MAX - LAST])
