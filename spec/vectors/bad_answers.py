# SPDX-License-Identifier: Apache-2.0
"""Indexes that two ways of reading may answer differently: slots out of order, and masks that agree with ROOT and not with
themselves."""
import constants as c
import scenes
from vector import bad, put

K, T = c.Kind, c.FrameType
NAMES = 30
# Slots from the home of the name on, so that a reader that looks at some at once is not at the end of the table.
ROOM = 5

# ------------------------------------------------------------------ slots


def thirty(a):
    for number in range(NAMES):
        a.add("name-%02d" % number, b"image %02d" % number)
    a.commit()


def lost(rule, what, slot_count=None):
    """The function changes the SlotTable of 30 names and gives the slots whose names are no longer met."""
    def declare(function):
        names = []

        def register(a):
            def edit(table):
                names[:] = sorted(a.images[slot.ordinal].name.decode() for slot in function(table))
            a.slot_counts = slot_count
            a.edit("slots", edit)
        register.__name__ = function.__name__
        bad(rule, what, thirty, also={"not_found": names})(register)
        return function
    return declare


def homes_before(table, second):
    """Places of keys whose successor has its home there, with room."""
    return [place for place in sorted(table.placed) if place + 1 in table.placed and table.home(table.placed[place + 1]) == place
            and (place + 2 in table.placed) == second and place + ROOM <= table.total]


@lost(57, "three slots in another order: from the home of one on a larger hash comes first, then a smaller one")
def slot_behind_a_larger(table):
    place = homes_before(table, True)[0]
    first, second, third = (table.placed[place + i] for i in range(3))
    table.placed.update({place: third, place + 1: first, place + 2: second})
    table.max_disp = max(table.max_disp, 2)
    return [second]


@lost(57, "two slots one place too far: the home of the second is empty, and then a smaller hash comes", lambda keys: 2 * keys)
def slot_behind_an_empty_one(table):
    place = homes_before(table, False)[0]
    first, second = table.placed.pop(place), table.placed[place + 1]
    table.placed.update({place + 1: first, place + 2: second})
    table.max_disp = max(table.max_disp, 2)
    return [first, second]


@lost(57, "max_disp is one less than a key is displaced", lambda keys: keys * 4 // 3)
def slot_past_max_disp(table):
    far = [slot for place, slot in table.placed.items() if place - table.home(slot) == table.max_disp]
    table.max_disp -= 1
    assert 0 < table.max_disp < ROOM - 1 and all(table.home(slot) + ROOM <= table.total for slot in far)
    return far


@bad(45, "frame and slot of an image have an ordinal that was never given", thirty, also={"not_found": ["name-29"]})
def slot_ordinal_of_frame(a):
    a.edit_frames(T.IMAGE, put(ordinal=77), 29)
    a.edit("slots", lambda table: [put(ordinal=77)(slot) for slot in table.placed.values() if slot.ordinal == 29])


# ------------------------------------------------------------------ masks, of runs as in bad_index.py

FIRST, SECOND = -4, -3  # MASK parts


def counted(name, what, part, dead=0, attached=0, edit=None):
    """ROOT counts one row more that is not listed, in all places where it does."""
    def root(subject):
        mask = subject.parts[part]
        put(dead=mask.dead + dead, attached=mask.attached + attached)(mask)
        put(dead_count=subject.dead_count + dead, listed_count=subject.listed_count - 1)(subject)

    def register(a):
        a.edit("root", root, 1)
        if edit:
            a.edit("sections", edit, 4)
    register.__name__ = name
    bad(62, what, scenes.removed)(register)


counted("mask_dead_counted", "ROOT counts a dead row more than its MASK has, also in its sums", FIRST, dead=1)
counted("mask_attached_counted", "ROOT counts an attachment more than its MASK has, also in its sums", SECOND, attached=1)
counted("mask_past_the_end_counted", "a bit of DEAD past the last row is set, and ROOT counts it", SECOND, 1,
        edit=lambda table: put(data=b"\2" + bytes(6) + b"\x80")(table.section(K.DEAD)))
