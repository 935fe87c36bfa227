# SPDX-License-Identifier: Apache-2.0
"""Vectors that break rules 42 to 47 and 50 to 70: entries, names, slots, columns, masks, content."""
import constants as c
import scenes
from checksum import u
from slots import hash40
from table import Groups
from vector import bad, edited, put

K, T = c.Kind, c.FrameType
ODD = b"o" * 16


def entry(name, rule, what, scene=scenes.three, index=0, at=0, opens=True, refuses=(0,), **fields):
    edited(name, rule, what, scene, "entries", lambda entries: put(**fields)(entries[index]), at, opens, refuses=refuses)


entry("entry_offset", 42, "an entry names the middle of a frame", offset=c.HEAD_BYTES + 8)
entry("entry_offset_huge", 42, "an entry names the largest offset there can be", offset=((1 << 48) - 1) * 8)
entry("entry_header_units", 42, "header_units of an entry is one too many", header_units=9)
entry("entry_other_bits", 42, "an unused bit of loc is set", refuses=(), other_bits=1 << 60)
entry("entry_stored_bytes", 43, "stored_bytes of an entry is not that of its frame", stored_bytes=1)
entry("entry_format", 43, "the format of an entry is not that of its frame", format=c.Format.GIF)
entry("entry_coding", 43, "the coding of an entry is not that of its frame", coding=1)


def swap(entries):
    entries[0], entries[1] = entries[1], entries[0]


edited("entries_swapped", 44, "two entries stand in each other's place", scenes.three, "entries", swap, refuses=(0, 1))
edited("image_ordinal_of_another", 44, "the frame of ordinal 0 says 1", scenes.three, "frame 1", put(ordinal=1), refuses=(0,))


@bad(45, "an IMAGE frame that no entry designates", scenes.empty)
def image_without_entry(a):
    a.add("a", b"a")
    a.add("lost", b"lost")
    a.images.pop()
    a.commit()


@bad(45, "the IMAGE frames of ordinals 1 and 0 stand in this order", scenes.empty)
def image_frames_out_of_order(a):
    a.edit_frames(T.IMAGE, put(ordinal=1), at=0)
    a.edit_frames(T.IMAGE, put(ordinal=0), at=1)
    a.add("a", b"a")
    a.add("b", b"b")
    a.images.reverse()
    for ordinal, image in enumerate(a.images):
        image.ordinal = ordinal
    a.commit()


@bad(45, "an ordinal has two IMAGE frames", scenes.empty)
def image_frame_twice(a):
    a.add("a", b"a")
    a.images.pop()
    a.add("a", b"a")
    a.commit()


def alias(name, what, stage, edit, at=0):
    edited(name, 47, what, scenes.aliases, stage, edit, at)


def target(ordinal):
    return put(payload=u(ordinal, 4) + bytes(4))


alias("alias_target_itself", "the target of an ALIAS is itself", "frame 2", target(2))
alias("alias_target_later", "the target of an ALIAS is later", "frame 2", target(3))
alias("alias_target_huge", "the target of an ALIAS is 2^32 - 1", "frame 2", target((1 << 32) - 1))
alias("alias_target_aliased", "the target of an ALIAS is ALIASED", "frame 2", target(2), at=1)
alias("alias_target_other", "the target of an ALIAS is not the image that the entry designates", "frame 2", target(1))
alias("alias_not_said", "an ALIAS frame, and its entry is not ALIASED", "entries", lambda entries: put(aliased=False)(entries[2]))
alias("alias_without_frame", "an ALIASED entry without an ALIAS frame", "entries", lambda entries: put(aliased=True)(entries[1]))
alias("alias_hash", "the hash of an ALIASED entry is not that of its target", "entries",
      lambda entries: put(hash=ODD)(entries[2]))
alias("alias_format", "the format of an ALIAS frame is not that of its entry and target", "frame 2", put(format=c.Format.PNG))
edited("alias_payload_bytes", 47, "the payload of an ALIAS has 16 bytes", scenes.aliases, "frame 2", put(payload=bytes(16)))


@bad(50, "a stored image whose raw_bytes is not its stored_bytes", scenes.three)
def raw_bytes_of_stored(a):
    a.edit_frames(T.IMAGE, put(raw_bytes=1))


def named(name, what, text):
    def register(a):
        a.add(text, b"a")
        a.commit()
    register.__name__ = name
    bad(53, what, scenes.empty)(register)


named("name_dot_dot", "a component is ..", b"a/../../etc/passwd")
named("name_dot", "a component is .", b"./a")
named("name_absolute", "a name begins with a slash", b"/etc/passwd")
named("name_slash_at_end", "a name ends with a slash", b"a/")
named("name_empty_component", "two slashes in a row", b"a//b")
named("name_empty", "an image that is no attachment has no name", b"")
named("name_1025", "a name of 1,025 bytes", b"/".join([b"a" * 204] * 5) + b"b")
named("name_component_256", "a component of 256 bytes", b"a" * 256)
named("name_backslash", "a backslash", b"a\\b")
named("name_newline", "a newline", b"a\nb")
named("name_nul", "a zero byte", b"a\0b")
named("name_del", "the byte 0x7F", b"a\x7fb")
named("name_c1", "U+0085", "a\u0085b".encode())
named("name_not_utf8", "a byte that is not UTF-8", b"caf\xe9")
named("name_overlong", "a slash in two bytes", b"a\xc0\xafb")
named("name_surrogate", "a surrogate in UTF-8", b"a\xed\xa0\x80")
named("name_past_unicode", "a code point past U+10FFFF", b"a\xf4\x90\x80\x80")


@bad(54, "two images of one name in one run", scenes.empty)
def name_twice(a):
    a.add("same", b"1")
    a.add("same", b"2")
    a.commit()


@bad(54, "two images of one name in two runs", scenes.empty)
def name_twice_in_two_runs(a):
    for number in range(2):
        a.add("same", b"%d" % number)
        a.commit()


def texts(name, what, edit):
    edited(name, 55, what, scenes.three, "names", edit)


texts("name_text_differs", "a name in NAME_TEXT is not that of the frame",
      lambda groups: groups.values.__setitem__(0, b"cat/0.png"))
texts("name_text_swapped", "two names in NAME_TEXT stand in each other's place",
      lambda groups: groups.values.insert(0, groups.values.pop(1)))
edited("name_text_count", 39, "NAME_TEXT has one name less than the run has rows", scenes.three, "names",
       lambda groups: groups.values.pop(), opens=False)


# name slots


def slots(name, rule, what, edit, scene=scenes.three, at=0):
    """edit gets the SlotTable and the indexes of its slots in order."""
    edited(name, rule, what, scene, "slots", lambda table: edit(table, sorted(table.placed)), at)


def slot(name, what, index=0, **fields):
    slots(name, 59, what, lambda table, places: put(**fields)(table.placed[places[index]]))


def move(table, places):
    """The last key one place further than it must be, with max_disp as it then is."""
    last = table.placed.pop(places[-1])
    table.placed[places[-1] + 1] = last
    table.max_disp = max(table.max_disp, places[-1] + 1 - table.home(last))


def exchange(table, places):
    table.placed[places[0]], table.placed[places[1]] = table.placed[places[1]], table.placed[places[0]]


def drop(table, places):
    del table.placed[places[0]]
    table.keys -= 1


def more_slots(table, _):
    table.max_disp += 1


def double(table, places):
    """A second slot of the first key's ordinal, in the place of the last key."""
    del table.placed[places[-1]]
    table.__init__([*table.placed.values(), table.placed[places[0]]])


slots("slot_moved", 57, "a key stands one place behind its own", move)
slots("slots_exchanged", 57, "two keys stand in each other's place", exchange)
slots("slots_max_disp_more", 57, "an empty slot more at the end: max_disp is not exact", more_slots)
slots("slots_count_less", 57, "count of a NAMES part is one less than its keys", lambda table, _: put(keys=table.keys - 1)(table),
      scenes.two_commits)
slots("slot_missing", 58, "a live image has no slot", drop)
slots("slot_twice", 57, "an ordinal has two slots in one part", double)
slot("slot_offset", "loc of a slot is that of no frame", offset=c.HEAD_BYTES + 8)
slot("slot_offset_huge", "loc of a slot is the largest there can be", offset=((1 << 48) - 1) * 8)
slot("slot_lenclass", "lenclass of a slot is too large", lenclass=200)
slot("slot_ordinal", "the ordinal of a slot is 2^32 - 1", ordinal=(1 << 32) - 1, index=2)


@bad(59, "the hash of a slot is not that of the name", scenes.empty)
def slot_hash(a):
    a.edit("slots", lambda table: table.__init__([put_hash(slot) for slot in table.placed.values()]))
    scenes.three(a)


def put_hash(slot):
    slot.hash ^= 1
    return slot


@bad(59, "slots of another seed than name_seed", scenes.empty)
def slots_of_another_seed(a):
    a.edit("slots", lambda table: table.__init__([reseed(a, slot) for slot in table.placed.values()]))
    scenes.three(a)


def reseed(a, slot):
    slot.hash = hash40(a.images[slot.ordinal].name, 0)
    return slot


@bad(59, "slot_count is 2 * keys + 5", scenes.three)
def slot_count_too_large(a):
    a.slot_counts = lambda keys: 2 * keys + 5


@bad(59, "slot_count is the number of keys, less than keys * 100 / 95", scenes.three)
def slot_count_too_small(a):
    a.slot_counts = lambda keys: keys


def repeat(a):
    """The second part says again what the first says."""
    scenes.three(a)
    a.named = 0
    a.commit("the same names again")


@bad(58, "a live image has slots in two parts", repeat)
def slot_in_two_parts(a):
    pass


# columns, as ROOT has them


def column(name, what, /, index=0, scene=scenes.columns, **fields):
    edited(name, 60, what, scene, "root", lambda subject: put(**fields)(subject.columns[index]), opens=False)


column("column_id_zero", "the id of a column is 0", id=0)
column("column_id_twice", "two columns have the id 2", id=2)
column("column_id_of_no_column", "the sections of a run name a column that ROOT has not", index=7, id=99)
column("column_type_zero", "a column of type 0", type=0)
column("column_type_unknown", "a column of type 17", type=17)
column("column_flags", "an unknown flag of a column", flags=2)
column("column_list_of_utf8", "LIST of utf8", index=4, flags=1)
column("column_width_zero", "a column of width 0", width=0)
column("column_width_of_utf8", "a utf8 column of width 2", index=4, width=2)
column("column_width_too_large", "element size times width is 65,536 bytes", index=3, width=32768)
column("column_width_differs", "a column of width 3, its sections have four elements", index=3, width=3)
column("column_name_twice", "two columns of one name", index=2, name=b"width")
edited("column_name_reserved", 60, "a column with the reserved name xxh128", scenes.columns, "root",
       lambda subject: put(name=b"xxh128")(subject.columns[0]), opens=False)
column("column_name_empty", "a column without a name", name=b"")
column("column_name_control", "a control character in a column's name", name=b"a\tb")
column("column_name_not_utf8", "the name of a column is not UTF-8", name=b"\xfe")
column("column_dictionary_count", "dictionary_count of a u32 column is not 0", index=1, dictionary_count=1)
edited("column_name_padding", 37, "a byte after the name of a column is not zero", scenes.columns, "root",
       lambda subject: put(name_padding=b"x", name_bytes=4)(subject.columns[0]), opens=False)


# columns, as the tables have them


def section(name, rule, what, kind, column_id, /, edit=None, **fields):
    edited(name, rule, what, scenes.columns, "sections", lambda table: (edit or put(**fields))(table.section(kind, column_id)),
           opens=False)


def data(name, what, kind, column_id, change, rule=61):
    """change gives the section's new bytes from the old ones; their number stays the same."""
    edited(name, rule, what, scenes.columns, "sections", lambda table: put(data=change(table.section(kind, column_id).data))(
        table.section(kind, column_id)))


section("values_of_a_utf8_column", 60, "VALUES instead of GROUPS of a utf8 column", K.GROUPS, 5, kind=K.VALUES, data=bytes(3),
        element_bytes=1,
        codec=0, raw_bytes=3, extra=0)
section("validity_without_values", 60, "VALIDITY of a column that has no values", K.VALUES, 3, column=99)
section("element_bytes_of_f32", 60, "f32 in two bytes", K.VALUES, 3, element_bytes=2, data=bytes(6))
section("element_bytes_three", 60, "u32 in three bytes", K.VALUES, 2, element_bytes=3, data=bytes(9))
section("rows_of_values", 39, "VALUES of two rows in a run of three", K.VALUES, 1, count=2, data=b"\1\0")
data("value_bool", "a bool of 2", K.VALUES, 1, lambda old: b"\2" + old[1:])
data("value_code", "a dictionary code of 2, the dictionary has two values", K.VALUES, 6, lambda old: u(2, 4) + old[4:])
data("value_image", "an image column names the ordinal 3 of three", K.VALUES, 7, lambda old: u(3, 4) + old[4:])
data("value_null_not_zero", "the value of a null row is not zero", K.VALUES, 3, lambda old: old[:4] + u(1, 4) + old[8:])
data("value_not_utf8", "a utf8 value that is not UTF-8", K.GROUPS, 5, lambda old: old.replace(b"Ein Bild", b"Ein B\xffld"))
data("value_list_length", "a list of two-element vectors has three elements", K.GROUPS, 8,
     lambda old: u(6, 4) + u(2, 4) + old[8:])
data("value_null_list", "the list of a null row is not empty", K.GROUPS, 8, lambda old: u(4, 4) + u(0, 4) + u(4, 4) + old[12:])
data("validity_past_the_end", "a bit of VALIDITY past the last row is set", K.VALIDITY, 3,
     lambda old: bytes([old[0] | 8]) + old[1:])
data("validity_past_the_end_byte", "a bit of VALIDITY in the last byte is set", K.VALIDITY, 3, lambda old: old[:7] + b"\x80")


# masks; the first run of the scene has ordinals 0 and 1 (0 dead), the second 2 to 5 (3 dead, 4 and 5 attached)


def mask(name, what, edit, at=1):
    edited(name, 62, what, scenes.removed, "mask", edit, at)


def bits(kind, *values):
    return lambda subject: subject.update({kind: values})


mask("mask_dead_count", "dead of a MASK part is not the number of bits", bits(K.DEAD, 1, 1, 0, 0))
mask("mask_attached_missing", "an attachment is not in ATTACHED", bits(K.ATTACHED, 0, 0, 1, 0))
mask("mask_attached_more", "a row is in ATTACHED and is no attachment", bits(K.ATTACHED, 1, 0, 1, 1))
mask("mask_rank", "the first element of RANK is 1", bits(K.RANK, 1))
edited("mask_rank_count", 39, "RANK has two elements for four rows", scenes.removed, "mask", bits(K.RANK, 0, 1), 1, False)
edited("mask_past_the_end", 62, "a bit of DEAD past the last row is set", scenes.removed, "sections",
       lambda table: put(data=b"\2" + bytes(6) + b"\x80")(table.section(K.DEAD)), at=4)
edited("mask_part_attached", 62, "attached of a MASK part is not the number of bits", scenes.removed, "root",
       lambda subject: put(attached=1)(subject.parts[-3]), 1, False)


edited("mask_without_dead", 62, "dead of a MASK part is 1 and DEAD is absent", scenes.removed, "mask", bits(K.DEAD, 0, 0), 0,
       False)
edited("mask_without_attached", 62, "attached of a MASK part is 2 and ATTACHED is absent", scenes.removed, "mask",
       bits(K.ATTACHED, 0, 0, 0, 0), 1, False)


@bad(62, "a run with an attachment has no MASK", scenes.empty, opens=False)
def attachment_without_mask(a):
    a.add("a", b"a", attachment=True)
    a._write_masks = lambda: None
    a.commit()


# content slots


def content(name, what, edit):
    edited(name, 67, what, scenes.content, "content", lambda table: edit(table, sorted(table.placed)))


content("content_exchanged", "two content slots stand in each other's place", exchange)
content("content_max_disp", "an empty content slot more at the end", more_slots)
content("content_hash", "the hash of a content slot is not that of the entry",
        lambda table, places: put_hash(table.placed[places[-1]]))
content("content_ordinal", "a content slot of an ordinal that was never given",
        lambda table, places: put(ordinal=77)(table.placed[places[-1]]))
content("content_of_alias", "a content slot of an ALIASED entry", lambda table, places: put(ordinal=3)(
    next(slot for slot in table.placed.values() if slot.ordinal == 2)))


# dictionaries


def values(name, what, edit, stage="sections", at=2, opens=None):
    edited(name, 68, what, scenes.columns, stage, edit, at, opens)


def texts_of(*texts):
    return lambda table: table.sections.__setitem__(0, Groups(list(texts)).section(K.GROUPS, table.column))


values("dictionary_twice", "a value stands twice in a dictionary", texts_of(b"cat", b"cat"))
values("dictionary_not_utf8", "a value of a dictionary is not UTF-8", texts_of(b"cat", b"\xff"))
values("dictionary_less", "a VALUES part has one value less than it says", texts_of(b"cat"), opens=False)
values("dictionary_uncovered", "dictionary_count is one more than the VALUES parts have",
       lambda root: put(dictionary_count=3)(root.columns[5]), "root", 0, False)
values("dictionary_of_no_column", "a VALUES part of a column that is no dictionary", lambda root: put(column=1)(root.parts[-1]),
       "root", 0, False)


entry("entry_hash", 70, "the hash of an entry is not that of the bytes, the frame's is right", hash=ODD)
entry("entry_hash_of_coded", 70, "the hash of an entry is that of the stored bytes of a coded image", scenes.packed, hash=ODD)
