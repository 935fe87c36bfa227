# SPDX-License-Identifier: Apache-2.0
"""Numbers that are right when 32 bits of them are kept, and offsets whose end passes 2^64: a reader that computes in too few bits
takes these archives for sound."""
import constants as c
import scenes
from vector import edited, put

BIT32, WRAP = 1 << 32, (1 << 64) - c.FRAME_HEADER_BYTES  # the payload of a frame at WRAP begins at 2^64


def more(field, by=BIT32, of=lambda subject: subject):
    return lambda subject: put(**{field: getattr(of(subject), field) + by})(of(subject))


def root(name, rule, what, edit, scene=scenes.three, opens=False, **options):
    edited(name, rule, what, scene, "root", edit, opens=opens, **options)


def part(index):
    return lambda root_record: root_record.parts[index]


def coding(root_record):
    return root_record.codings[0]


def staged(name, rule, what, stage, edit, opens=False, scene=scenes.three):
    edited(name, rule, what, scene, "sections", lambda table: table.edits.update({stage: edit}), 0, opens)


root("wide_ordinal_count", 37, "ordinal_count is 2^32 more, in the commit too", more("ordinal_count"))
root("wide_listed_count", 65, "listed_count is 2^32 more, in the commit too", more("listed_count"))
root("wide_dead_count", 65, "dead_count is 2^32 more", more("dead_count"))
root("wide_live_stored_bytes", 65, "live_stored_bytes is 2^32 more", more("live_stored_bytes"), opens=True)
root("wide_part_bytes", 41, "bytes of a RUN part is 2^32 more", more("bytes", of=part(0)))
root("wide_part_offset", 41, "the offset of a RUN part is 2^32 more", more("offset", of=part(0)))
root("wide_coding_bytes", 51, "bytes of a coding is 2^32 more", more("bytes", of=coding), scenes.dictionary)
root("wide_coding_offset", 51, "the offset of a coding is 2^32 more", more("offset", of=coding), scenes.dictionary)
root("wide_meta_bytes", 69, "meta_bytes is 2^32 more", more("meta_bytes"), scenes.meta)
root("wide_meta_offset", 69, "meta_offset is 2^32 more", more("meta_offset"), scenes.meta)
root("wrapping_part", 41, "a RUN part at 2^64 - 48", lambda subject: put(offset=WRAP)(subject.parts[0]))
root("wrapping_coding", 51, "a DICT at 2^64 - 48", lambda subject: put(offset=WRAP)(coding(subject)), scenes.dictionary)
root("wrapping_meta", 69, "META at 2^64 - 48", put(meta_offset=WRAP), scenes.meta)

edited("wide_root_bytes", 31, "root_bytes is 2^32 more", scenes.three, "commit", more("root_bytes"), opens=False)
edited("wide_root_offset", 31, "root_offset is 2^32 more", scenes.three, "commit", more("root_offset"), opens=False)
edited("wrapping_root", 31, "ROOT at 2^64 - 48", scenes.three, "commit", put(root_offset=WRAP), opens=False)
edited("wide_self_offset", 24, "self_offset of a commit page is 2^32 more", scenes.three, "commit", more("self_offset"),
       opens=False)
edited("wide_hint", 9, "a hint names the place 2^32 bytes behind the commit", scenes.three, "hint", more("commit_offset"),
       opens=False, status="truncated")
edited("wrapping_hint", 9, "a hint of a commit at 2^64 - 4,096, so that its end is 0: it says nothing", scenes.three, "hint",
       put(commit_offset=(1 << 64) - c.PAGE_BYTES, end=0))

edited("wide_entry_bytes", 43, "stored_bytes of an entry is 2^32 more", scenes.three, "entries",
       lambda entries: more("stored_bytes")(entries[1]), refuses=[1])
edited("wide_entry_offset", 42, "an entry names a place 2^32 bytes behind its frame", scenes.three, "entries",
       lambda entries: more("offset")(entries[1]), refuses=[1])
edited("wide_frame_raw_bytes", 50, "raw_bytes of a stored image is 2^32 more", scenes.three, "frame 1",
       lambda frame: put(raw_bytes=len(frame.payload) + BIT32)(frame))

for _field in ("bytes", "offset", "count", "raw_bytes"):
    staged("wide_section_" + _field, 39 if _field in ("count", "raw_bytes") else 38, "%s of ENTRIES is 2^32 more" % _field,
           "descriptors",
           lambda sections, field=_field: put(**{field: BIT32 + {
               "offset": 0, "count": sections[0].count}.get(field, len(sections[0].data))})(sections[0]))
staged("wide_data_bytes", 38, "data_bytes of a footer is 2^32 more", "footer", more("data_bytes"))
