#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# aimg repair: what it saves, what it says, and what it leaves alone; and aimg add --recover.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"
: "${WRITE_SHIM:?set it to the path of write_shim.so}"

# wipe ARCHIVE TYPE [WHICH]: zeros in place of the last frame of a type (spec/SPEC.md, 3.1), or of another one, from 0. Where the
# frames are is read from album.aimg.
wipe() {
    "$python" - "$@" <<'PY'
import sys
path, kind = sys.argv[1], int(sys.argv[2])
data, sound = bytearray(open(path, 'rb').read()), open('album.aimg', 'rb').read()
at, found = 12288, []
while at < len(sound):
    units, stored = sound[at + 3], int.from_bytes(sound[at + 16:at + 22], 'little')
    total = units * 8 + (stored + 7) // 8 * 8
    if sound[at + 2] == kind:
        found.append((at, total))
    at += total
at, total = found[int(sys.argv[3]) if len(sys.argv) > 3 else -1]
data[at:at + total] = bytes(total)
open(path, 'wb').write(data)
PY
}

zero() { dd if=/dev/zero of="$1" bs=1 seek="$2" count="$3" conv=notrunc 2>/dev/null; }

# expect_repaired ARCHIVE FOLDER: it is sound, and has the pictures of the folder.
expect_repaired() {
    expect_exit 0 "$AIMG" verify --quiet "$1"
    rm -rf copy
    expect_exit 0 "$AIMG" unpack --quiet "$1" -C copy
    expect_same copy "$2"
}

make_album() {
    rm -rf album a.aimg
    for i in $(seq 10 21); do make_picture "album/set $((i % 2))/$i.pgm" 40 $((2 * i)) "picture $i"; done
    expect_exit 0 "$AIMG" pack --quiet --compress store a.aimg album
    expect_exit 0 "$AIMG" meta a.aimg title='An album'
    make_picture gone/gone.pgm 30 30 gone
    expect_exit 0 "$AIMG" add --quiet --compress store a.aimg gone
    expect_exit 0 "$AIMG" rm --quiet a.aimg gone.pgm
    make_picture album/late.pgm 50 50 late
    expect_exit 0 "$AIMG" add --quiet --compress store --skip-existing a.aimg album
    cp a.aimg album.aimg
}

test_nothing_lost() {
    make_album
    for damage in none head hints header run root mask commit names meta; do
        cp a.aimg b.aimg
        case $damage in
            head) zero b.aimg 0 12288 ;;
            hints) zero b.aimg 4096 8192 ;;
            header) zero b.aimg 0 4096 ;;
            run) wipe b.aimg 3 ;;
            root) wipe b.aimg 12 ;;
            commit) wipe b.aimg 14 ;;
            names) wipe b.aimg 6 ;;
        esac
        cp b.aimg before
        touch -d '2020-01-01' b.aimg
        rm -f fixed.aimg
        run "$AIMG" repair b.aimg -o fixed.aimg
        # a run holds the only copy of the values of columns
        case $damage in
            run) expect_equal "$damage $status" 'run 1' && expect_contains out "values of column 'label'" ;;
            # whether the metadata was removed, and whether it was sealed, stands nowhere else
            root) expect_equal "$status" 0 && expect_lines out 1 && expect_contains out 'unknown at offset' ;;
            commit) expect_equal "$status" 0 && expect_lines out 1 && expect_contains out 'unknown: whether the archive was' ;;
            *) expect_equal "$damage $status" "$damage 0" && expect_lines out 0 && expect_contains err 'nothing lost' ;;
        esac
        expect_repaired fixed.aimg album
        expect_same b.aimg before
        expect_equal "$(stat -c %y b.aimg | cut -d' ' -f1)" 2020-01-01
        expect_absent fixed.aimg.repair
        expect_equal "$("$AIMG" meta fixed.aimg title)" 'An album'
    done
    expect_exit 0 "$AIMG" log fixed.aimg
    expect_contains out 'repaired from a damaged archive'
}

test_back() {
    make_album
    wipe a.aimg 5
    expect_exit 0 "$AIMG" repair a.aimg -o fixed-back.aimg
    expect_lines out 0 # the mask of the commit before serves
    wipe a.aimg 5 0
    expect_exit 0 "$AIMG" repair --json a.aimg -o back.aimg
    expect_equal "$(json out 'o["complete"], o["back"] > 0, o["lost_images"]')" '(True, True, 0)'
    expect_equal "$(json out '"gone.pgm" in [l["name"] for l in o["losses"] if l["kind"] == "removal"]')" True
    cp -r album with-gone && cp gone/gone.pgm with-gone
    expect_repaired back.aimg with-gone
    expect_exit 0 "$AIMG" repair a.aimg -o back2.aimg
    expect_contains out "a.aimg: back: image 'gone.pgm' (ordinal 12)"
}

test_lost() {
    make_album
    "$AIMG" info --json a.aimg 'set 1/15.pgm' >info
    zero a.aimg $(($(json info 'o["offset"]') + 100)) 50
    expect_exit 1 "$AIMG" repair a.aimg -o lost.aimg
    expect_lines out 1
    expect_true 'the picture that is lost is named' \
        grep -qE "^a.aimg: lost: image 'set 1/15.pgm' \(ordinal [0-9]+\) at offset [0-9]+: its bytes are damaged$" out
    expect_contains err '12 images saved, 1 image lost'
    rm 'album/set 1/15.pgm'
    expect_repaired lost.aimg album
    expect_exit 1 "$AIMG" repair --quiet --json a.aimg -o lost2.aimg
    expect_lines err 0
    expect_equal "$(json out 'o["schema"], o["path"], o["output"], o["complete"], o["images"], o["lost_images"]')" \
        "('aimg.repair/1', 'a.aimg', 'lost2.aimg', False, 12, 1)"
    expect_equal "$(json out '[(l["kind"], l["name"], l["count"]) for l in o["losses"]]')" "[('images', 'set 1/15.pgm', 1)]"
}

test_cut() {
    make_album
    size=$(stat -c %s a.aimg)
    head -c $((size - 9000)) a.aimg >cut.aimg
    expect_exit 4 "$AIMG" ls cut.aimg
    expect_contains err 'repair it'
    expect_exit 1 "$AIMG" repair cut.aimg -o cut-fixed.aimg
    expect_contains out 'the end of the file is missing'
    expect_exit 0 "$AIMG" verify --quiet cut-fixed.aimg
    # and as the next writer has it
    expect_exit 4 "$AIMG" add cut.aimg gone
    expect_exit 0 "$AIMG" add --recover cut.aimg gone
    expect_contains err 'its end is missing'
    expect_exit 0 "$AIMG" verify --quiet cut.aimg
    expect_bytes cut.aimg gone.pgm gone/gone.pgm
}

# The page of one commit and all of the next are zero: the ROOT before the page tells what there was up to it, nothing tells
# the rest.
test_end_zeroed() {
    make_album
    page=$(($(stat -c %s a.aimg) - 4096))
    for i in 1 2 3; do make_picture "last/$i.pgm" 300 400 "last $i"; done
    expect_exit 0 "$AIMG" add --quiet --compress store a.aimg last
    end=$(stat -c %s a.aimg)
    zero a.aimg $page $((end - page))
    expect_exit 1 "$AIMG" repair a.aimg -o end-fixed.aimg
    expect_contains out "lost: $((end - page - 4096)) bytes at offset $((page + 4096)): of a commit that is lost"
    expect_exit 0 "$AIMG" verify --quiet end-fixed.aimg
}

# A writer that is killed leaves what it has written.
test_torn() {
    make_album
    end=$(stat -c %s a.aimg)
    for i in $(seq 30 39); do make_picture "more/$i.pgm" 300 400 "more $i"; done
    cp a.aimg whole.aimg
    expect_exit 0 "$AIMG" add --quiet --compress store whole.aimg more
    "$AIMG" info --json whole.aimg 35.pgm >info
    torn=$(json info 'o["offset"]')
    { head -c "$torn" whole.aimg | tail -c +$((end + 1)) | cat a.aimg -; } >torn.aimg
    cp torn.aimg kept.aimg
    cp torn.aimg repair.aimg
    cp torn.aimg alone.aimg
    mkdir -p one && make_picture one/one.pgm 20 20 one
    expect_exit 0 "$AIMG" add torn.aimg one
    expect_contains err 'warning: torn.aimg: dropped '
    expect_contains err ' of an incomplete commit, with 6 images' # five, and one that is cut off
    expect_exit 1 "$AIMG" cat torn.aimg 30.pgm
    expect_exit 0 "$AIMG" add --recover kept.aimg one
    expect_contains err 'recovered and committed 5 images of an incomplete commit'
    expect_exit 0 "$AIMG" verify --quiet kept.aimg
    for i in $(seq 30 34); do expect_bytes kept.aimg $i.pgm more/$i.pgm; done
    expect_bytes kept.aimg one.pgm one/one.pgm
    expect_exit 1 "$AIMG" cat kept.aimg 35.pgm
    expect_exit 0 "$AIMG" add --recover alone.aimg
    expect_contains err 'recovered and committed 5 images of an incomplete commit'
    expect_bytes alone.aimg 34.pgm more/34.pgm
    expect_exit 2 "$AIMG" add alone.aimg
    expect_exit 0 "$AIMG" log kept.aimg
    expect_contains out 'recovered after an interrupted writer'
    run "$AIMG" repair repair.aimg -o torn-fixed.aimg
    expect_equal "$status" 1 # the half picture, and the values of those that have no index yet
    expect_contains out "image '35.pgm'"
    expect_exit 0 "$AIMG" verify --quiet torn-fixed.aimg
    for i in $(seq 30 34); do expect_bytes torn-fixed.aimg $i.pgm more/$i.pgm; done
}

test_output() {
    make_album
    cp a.aimg same
    expect_exit 2 "$AIMG" repair a.aimg
    expect_contains err '--output is missing'
    expect_exit 2 "$AIMG" repair -o bb.aimg
    expect_exit 2 "$AIMG" repair a.aimg bb.aimg -o c.aimg
    expect_exit 2 "$AIMG" repair a.aimg -o ''
    expect_exit 2 "$AIMG" repair --no-such a.aimg -o bb.aimg
    ln -f a.aimg hard.aimg
    ln -sf a.aimg soft.aimg
    for out in a.aimg ./a.aimg hard.aimg soft.aimg; do
        expect_exit 2 "$AIMG" repair --force a.aimg -o $out
        expect_contains err 'is ARCHIVE itself'
    done
    rm hard.aimg soft.aimg
    echo mine >taken
    expect_exit 3 "$AIMG" repair a.aimg -o taken
    expect_contains err 'is there already'
    expect_equal "$(cat taken)" mine
    echo mine >bb.aimg.repair
    expect_exit 3 "$AIMG" repair a.aimg -o bb.aimg
    expect_contains err 'is in the way'
    expect_equal "$(cat bb.aimg.repair)" mine
    expect_exit 0 "$AIMG" repair --force a.aimg -o bb.aimg
    expect_absent bb.aimg.repair
    head -c 12288 a.aimg >c.aimg.repair # as one that was killed leaves it
    zero c.aimg.repair 4096 8192
    expect_exit 0 "$AIMG" repair a.aimg -o c.aimg
    expect_exit 0 "$AIMG" repair --force a.aimg -o taken
    expect_repaired taken album
    chmod 640 a.aimg
    expect_exit 0 "$AIMG" repair --force a.aimg -o taken
    expect_equal "$(stat -c %a taken)" 640
    mkdir folder
    expect_exit 3 "$AIMG" repair a.aimg -o folder
    expect_exit 3 "$AIMG" repair a.aimg -o no/such/folder.aimg
    expect_contains err 'the new archive: cannot create'
    expect_same a.aimg same
    (ulimit -f 20; exec "$AIMG" repair a.aimg -o small.aimg) >out 2>err
    expect_equal $? 3
    expect_contains err 'the new archive: cannot write'
    expect_contains err 'small.aimg was not made'
    expect_absent small.aimg small.aimg.repair
}

test_nothing_to_save() {
    make_album
    expect_exit 3 "$AIMG" repair missing.aimg -o nothing.aimg
    : >empty
    expect_exit 4 "$AIMG" repair empty -o nothing.aimg
    head -c 100000 /dev/urandom >rubbish
    expect_exit 4 "$AIMG" repair rubbish -o nothing.aimg
    expect_contains err 'is not an aimg archive'
    expect_exit 4 "$AIMG" repair --json rubbish -o nothing.aimg
    expect_contains out '"error":"is not an aimg archive'
    expect_contains out '"complete":false'
    head -c 9000 a.aimg >short
    expect_exit 4 "$AIMG" repair short -o nothing.aimg
    expect_contains err 'nothing to save'
    head -c 12388 a.aimg >shorter
    expect_exit 4 "$AIMG" repair shorter -o nothing.aimg
    expect_contains out 'lost: '
    expect_absent nothing.aimg nothing.aimg.repair
    mkdir -p none && expect_exit 0 "$AIMG" pack --quiet none.aimg none
    expect_exit 0 "$AIMG" repair none.aimg -o none-fixed.aimg
    expect_exit 0 "$AIMG" verify --quiet none-fixed.aimg
}

test_stopped() {
    make_album
    for i in 1 2 3; do make_picture large/$i.pgm 1100 1000 "large $i"; done # each is written on its own
    expect_exit 0 "$AIMG" add --quiet --compress store a.aimg large
    cp -r large/. album
    cp a.aimg album.aimg
    with_shim AT_WRITE='kill -TERM $PPID' "$AIMG" repair a.aimg -o stopped.aimg
    expect_equal "$status" 3
    expect_contains err interrupted
    expect_contains err 'stopped.aimg was not made'
    expect_absent stopped.aimg stopped.aimg.repair
    with_shim AT_WRITE='kill -KILL $PPID' "$AIMG" repair a.aimg -o stopped.aimg 2>/dev/null
    expect_equal "$status" 137
    expect_true 'a kill leaves the unfinished file' [ -s stopped.aimg.repair ]
    expect_exit 0 "$AIMG" repair a.aimg -o stopped.aimg
    expect_repaired stopped.aimg album
    expect_same a.aimg album.aimg
}

# The same archive with the same damage becomes the same bytes, and other damaged archives get another identity.
test_reproducible() {
    make_album
    dd if=/dev/zero of=a.aimg bs=1 count=4096 conv=notrunc status=none
    cp a.aimg other.aimg
    make_picture another/1.pgm 30 30 another
    expect_exit 0 "$AIMG" pack --quiet another.aimg another
    dd if=/dev/zero of=another.aimg bs=1 count=4096 conv=notrunc status=none
    for name in a other another; do
        SOURCE_DATE_EPOCH=1000000000 "$AIMG" repair --quiet $name.aimg -o $name-fixed.aimg >/dev/null 2>&1
        "$AIMG" info --json $name-fixed.aimg | grep -o '"uuid": *"[^"]*"' >$name-uuid
    done
    expect_same a-fixed.aimg other-fixed.aimg
    expect_true 'the uuid is told' [ -s a-uuid ]
    expect_true 'other archives get another uuid' test "$(cat a-uuid)" != "$(cat another-uuid)"
}

test_reproducible
test_nothing_lost
test_back
test_lost
test_cut
test_end_zeroed
test_torn
test_output
test_nothing_to_save
test_stopped
finish
