#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# aimg compact: what stays, what comes free, and what is left when it is stopped, refused or disturbed.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"
: "${WRITE_SHIM:?set it to the path of write_shim.so}"
: "${MAKE_COLUMNS:?set it to the path of the make_columns program}"

# worn ARCHIVE: 31 pictures in three commits, twenty of them replaced.
worn() {
    rm -rf worn "$1"
    for i in $(seq 10 29); do make_picture "worn/set $((i / 10))/$i.pgm" 40 $((2 * i)); done
    "$AIMG" pack --quiet --compress store "$1" --message 'the first' worn
    for i in $(seq 15 24); do make_picture "worn/set $((i / 10))/$i.pgm" 41 $((2 * i)) "new $i"; done
    "$AIMG" add --quiet --compress store --replace "$1" worn
    for i in $(seq 30 39); do make_picture "worn/set $((i / 10))/$i.pgm" 300 400; done
    make_picture worn/large.pgm 1100 1000 # is written on its own
    "$AIMG" add --quiet --compress store --skip-existing "$1" --message 'the last' worn
}

# facts ARCHIVE: what is in it, and in which order.
facts() {
    "$AIMG" ls --json "$1" 2>/dev/null | "$python" -c '
import json, sys
for line in sys.stdin:
    o = json.loads(line)
    print(o["name"], [o[key] for key in sorted(o) if key in ("position", "bytes", "format", "xxh128", "columns")])'
}

# expect_whole ARCHIVE FOLDER: it verifies, has the pictures of the folder, and nothing dead.
expect_whole() {
    expect_exit 0 "$AIMG" verify --quiet "$1"
    rm -rf copy
    expect_exit 0 "$AIMG" unpack --quiet "$1" -C copy
    expect_same copy "$2"
    expect_exit 0 "$AIMG" info --json "$1"
    expect_equal "$(json out 'o["removed"], o["images"] == o["ordinals"]')" '(0, True)'
}

test_in_place() {
    worn a.aimg
    chmod 640 a.aimg
    facts a.aimg >before
    "$AIMG" log --json a.aimg | "$python" -c 'import json, sys
print([(c["message"], c["time_ns"]) for c in json.load(sys.stdin)["commits"]])' >log-before
    size=$(stat -c %s a.aimg)
    expect_exit 0 "$AIMG" compact --dry-run --json a.aimg
    expect_equal "$(json out 'o["dry_run"], o["dropped_images"], o["images"], o["bytes_before"]')" "(True, 20, 31, $size)"
    guess=$(json out 'o["bytes_after"]')
    expect_exit 0 "$AIMG" compact --dry-run a.aimg
    expect_contains out 'come free; 20 images removed or replaced'
    expect_equal "$(stat -c %s a.aimg)" "$size"
    expect_exit 0 "$AIMG" compact --json a.aimg
    expect_equal "$(json out 'o["schema"], o["dropped_images"], o["images"], o["commits"], o["bytes_before"], o["dry_run"]')" \
        "('aimg.compact/1', 20, 31, 3, $size, False)"
    now=$(stat -c %s a.aimg)
    expect_equal "$(json out 'o["bytes_after"]')" "$now"
    expect_true "the guess of $guess is near $now" [ $((guess > now ? guess - now : now - guess)) -le $((now / 10 + 16384)) ]
    expect_true 'the file became smaller' [ "$now" -lt "$size" ]
    expect_whole a.aimg worn
    facts a.aimg >after
    expect_same before after
    "$AIMG" log --json a.aimg | "$python" -c 'import json, sys
print([(c["message"], c["time_ns"]) for c in json.load(sys.stdin)["commits"]])' >log-after
    expect_same log-before log-after
    expect_equal "$(stat -c %a a.aimg)" 640
    expect_absent a.aimg.compact
    expect_exit 0 "$AIMG" compact --drop-history a.aimg
    expect_contains err 'compacted a.aimg'
    expect_equal "$(commits a.aimg)" 1
    expect_whole a.aimg worn
    facts a.aimg >after
    expect_same before after
}

test_output() {
    worn b.aimg
    cp b.aimg same
    umask 027
    expect_exit 0 "$AIMG" compact b.aimg -o out.aimg
    umask 022
    expect_same b.aimg same
    expect_whole out.aimg worn
    expect_equal "$(stat -c %a out.aimg)" 640
    cp out.aimg same
    expect_exit 1 "$AIMG" compact b.aimg -o out.aimg
    expect_contains err 'out.aimg: is there already; --force replaces it'
    expect_same out.aimg same
    expect_exit 0 "$AIMG" compact --drop-history --force b.aimg --output out.aimg
    expect_equal "$(commits out.aimg)" 1
    expect_exit 2 "$AIMG" compact --force b.aimg -o ./b.aimg
    expect_contains err 'is ARCHIVE itself'
    # The name under which OUT is made may be that of ARCHIVE.
    cp b.aimg taken.aimg.compact
    expect_exit 2 "$AIMG" compact --force taken.aimg.compact -o taken.aimg
    expect_contains err 'taken.aimg.compact: is ARCHIVE itself'
    expect_exit 2 "$AIMG" compact taken.aimg.compact -o taken.aimg
    expect_same taken.aimg.compact b.aimg
    expect_absent taken.aimg
    mkdir folder
    expect_exit 1 "$AIMG" compact b.aimg -o folder
    expect_contains err 'folder: is a folder'
    expect_exit 3 "$AIMG" compact b.aimg -o no/such/out.aimg
    expect_exit 2 "$AIMG" compact --wait b.aimg -o other.aimg
    expect_exit 0 "$AIMG" pack --quiet --align 512 aligned.aimg worn
    expect_exit 0 "$AIMG" compact --quiet aligned.aimg
    expect_exit 0 "$AIMG" info --json aligned.aimg
    expect_equal "$(json out 'o["alignment"]')" 512
    expect_absent out.aimg.compact b.aimg.compact other.aimg
}

test_reproducible() {
    worn c.aimg
    export SOURCE_DATE_EPOCH=1700000000
    expect_exit 0 "$AIMG" compact c.aimg -o one.aimg
    expect_exit 0 "$AIMG" compact c.aimg -o two.aimg
    expect_same one.aimg two.aimg
    expect_false 'another archive has another identity' cmp -s -n 32 c.aimg one.aimg
    unset SOURCE_DATE_EPOCH
}

test_columns() {
    expect_exit 0 "$MAKE_COLUMNS" columns.aimg 3
    "$AIMG" info --json columns.aimg full | "$python" -c 'import json, sys
columns = json.load(sys.stdin)["columns"]
columns["an_image"] = None # it was removed
print(columns)' >before
    expect_exit 0 "$AIMG" compact columns.aimg
    expect_contains err '1 removed image dropped'
    "$AIMG" info --json columns.aimg full | "$python" -c 'import json, sys; print(json.load(sys.stdin)["columns"])' >after
    expect_same before after
    expect_exit 0 "$AIMG" info --json columns.aimg
    expect_equal "$(json out 'o["images"], o["ordinals"], o["removed"], o["attachments"]')" '(2, 3, 0, 1)'
    expect_exit 0 "$AIMG" verify --quiet columns.aimg
}

# Nothing that is not on the disk takes the place of the archive.
test_durable() {
    worn durable.aimg
    expect_durable compact durable.aimg "$AIMG" compact durable.aimg
    expect_durable compact durable2.aimg "$AIMG" compact durable.aimg -o durable2.aimg
    expect_durable compact durable2.aimg "$AIMG" compact --force durable.aimg -o durable2.aimg
}

# The file behind a link is replaced, not the link; other names of the file keep the old one.
test_names_of_the_file() {
    mkdir -p real
    worn real/d.aimg
    ln -s real/d.aimg link.aimg
    ln real/d.aimg other.aimg
    cp real/d.aimg same
    expect_exit 0 "$AIMG" compact link.aimg
    expect_contains err 'has 2 names (hard links)'
    expect_true 'the link stays' [ -L link.aimg ]
    expect_whole link.aimg worn
    expect_same other.aimg same
    expect_true 'it is a file of its own' [ "$(stat -c %h real/d.aimg)" = 1 ]
    expect_absent link.aimg.compact real/d.aimg.compact
    ln -s nowhere.aimg dangling.aimg
    expect_exit 3 "$AIMG" compact dangling.aimg
    expect_contains err 'is not there'
    rm other.aimg
}

# attributes FILE: its mode, entries of its access list as TAG:BITS, and what was noted.
attributes() {
    "$python" - "$1" <<'PY'
import os, struct, sys
found = [oct(os.stat(sys.argv[1]).st_mode & 0o777)]
for name in sorted(os.listxattr(sys.argv[1])):
    value = os.getxattr(sys.argv[1], name)
    if name == 'system.posix_acl_access':
        found.append(['%d:%d' % struct.unpack_from('<HH', value, at) for at in range(4, len(value), 8)])
    elif name.startswith('user.'):
        found.append((name, value))
print(found)
PY
}

# access_list FILE KIND: one user (4321) may write it, its group nothing, others nothing; and a note. KIND: access or default.
access_list() {
    "$python" - "$@" 2>/dev/null <<'PY'
import os, struct, sys
entries = [(1, 6, 0xffffffff), (2, 6, 4321), (4, 0, 0xffffffff), (16, 6, 0xffffffff), (32, 0, 0xffffffff)]
value = struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *entry) for entry in entries)
os.setxattr(sys.argv[1], 'system.posix_acl_' + sys.argv[2], value)
if sys.argv[2] == 'access':
    os.setxattr(sys.argv[1], 'user.note', b'keep me')
PY
}

# Who may use the file, and what was noted beside it; the bits of the group are the mask of an access list when there is one.
test_attributes() {
    worn l.aimg
    if ! access_list l.aimg access; then
        skip 'access lists: not on this file system'
        return
    fi
    wanted="['0o660', ['1:6', '2:6', '4:0', '16:6', '32:0'], ('user.note', b'keep me')]"
    expect_equal "$(attributes l.aimg)" "$wanted"
    expect_exit 0 "$AIMG" compact --quiet l.aimg -o l2.aimg
    expect_equal "$(attributes l2.aimg)" "['0o640', ['1:6', '2:6', '4:0', '16:4', '32:0'], ('user.note', b'keep me')]"
    expect_shim 0 NO_ATTRIBUTES=1 "$AIMG" compact l.aimg -o l3.aimg
    expect_equal "$(attributes l3.aimg)" "['0o600']"
    expect_contains err 'l3.aimg.compact: cannot be given the access list (ACL) of the archive'
    expect_contains err "the attribute 'user.note' of the archive is not kept"
    expect_exit 0 "$AIMG" compact --quiet l.aimg
    expect_equal "$(attributes l.aimg)" "$wanted"
    expect_whole l.aimg worn
    # A folder may give its files a list: it is not that of the archive.
    mkdir shared
    worn shared/m.aimg
    chmod 664 shared/m.aimg
    access_list shared default
    expect_equal "$(attributes shared/m.aimg)" "['0o664']"
    expect_exit 0 "$AIMG" compact --quiet shared/m.aimg
    expect_equal "$(attributes shared/m.aimg)" "['0o664']"
}

test_bad_input() {
    expect_exit 2 "$AIMG" compact
    expect_exit 2 "$AIMG" compact a.aimg b.aimg
    expect_exit 2 "$AIMG" compact ''
    expect_exit 2 "$AIMG" compact --no-such-option a.aimg
    expect_exit 3 "$AIMG" compact missing.aimg
    echo 'no archive' >text.aimg
    expect_exit 4 "$AIMG" compact text.aimg
    expect_exit 4 "$AIMG" compact folder
    mkdir -p nothing
    expect_exit 0 "$AIMG" pack --quiet empty.aimg nothing
    expect_exit 0 "$AIMG" compact empty.aimg
    expect_exit 0 "$AIMG" verify --quiet empty.aimg
    expect_absent text.aimg.compact missing.aimg.compact empty.aimg.compact
}

# Somebody adds: nobody else writes, a copy of what is committed can be made.
test_writer_at_work() {
    worn e.aimg
    cp e.aimg same
    hold_lock e.aimg
    expect_exit 3 "$AIMG" compact e.aimg
    expect_contains err 'another writer has the archive open; try again when it is done, or use --wait'
    expect_exit 0 "$AIMG" compact e.aimg -o beside.aimg
    expect_whole beside.aimg worn
    expect_exit 3 "$AIMG" compact b.aimg --force -o e.aimg
    expect_contains err "another 'aimg' is adding to it now"
    expect_same e.aimg same
    rm -f waited # or what an earlier one said is taken for this one
    "$AIMG" compact --wait e.aimg 2>waited &
    pid=$!
    wait_for grep -q 'waiting for another writer' waited || fail 'it did not wait' waited
    expect_true 'it waits' kill -0 $pid
    kill $holder
    ended
    expect_equal "$status" 0
    expect_contains waited 'compacted e.aimg'
    expect_whole e.aimg worn
}

# While it runs others want to add: who does not wait is told, who waits adds to the new file. Who reads has what was there.
test_second_writer() {
    worn f.aimg
    make_picture late/set/new.pgm 20 20
    make_picture early/new.pgm 20 20
    # Stands in its first picture, which is more than a pipe takes, until the other file has the name.
    mkfifo reading
    "$AIMG" cat f.aimg large.pgm 'set 1/10.pgm' 'set 2/20.pgm' 'set 3/39.pgm' >reading 2>reading-err &
    pid=$!
    exec 9<reading
    head -c 1 <&9 >snapshot
    with_shim AT_WRITE='unset AT_WRITE; "$AIMG" add f.aimg early 2>busy; echo $? >busy-status
        "$AIMG" add --wait f.aimg late 2>waiting &
        for i in $(seq 3000); do grep -q "waiting for another" waiting && break; sleep 0.01; done' \
        AIMG="$AIMG" "$AIMG" compact f.aimg
    expect_equal "$status" 0
    expect_equal "$(cat busy-status)" 3
    expect_contains busy 'another writer has the archive open; try again when it is done, or use --wait'
    wait_until grep -q 'added 1 image' waiting
    expect_contains waiting 'added 1 image'
    cp -r worn both && cp -r late/. both/
    expect_whole f.aimg both
    expect_true 'the reader is at work' kill -0 $pid
    cat <&9 >>snapshot
    exec 9<&-
    ended
    expect_equal "$status" 0
    expect_lines reading-err 0
    (cd worn && cat large.pgm 'set 1/10.pgm' 'set 2/20.pgm' 'set 3/39.pgm') >wanted
    expect_true 'the reader has what was there' cmp snapshot wanted
}

# All verbs that write can wait.
test_verbs_wait() {
    worn verbs.aimg
    printf 'name,score\nother.pgm,1\n' >waited.csv
    for verb in 'rm verbs.aimg large.pgm' 'mv verbs.aimg @0 other.pgm' 'meta verbs.aimg title=waited' 'seal verbs.aimg' \
        'set verbs.aimg waited.csv' 'attach verbs.aimg other.pgm note waited.csv'; do
        hold_lock verbs.aimg
        expect_exit 3 "$AIMG" $verb
        expect_contains err 'another writer has the archive open; try again when it is done, or use --wait'
        rm -f waited
        "$AIMG" ${verb%% *} --wait ${verb#* } 2>waited &
        pid=$!
        wait_for grep -q 'waiting for another writer' waited || fail "$verb did not wait" waited
        kill $holder
        ended
        expect_equal "$status" 0
    done
    expect_equal "$("$AIMG" meta verbs.aimg title)" waited
    expect_equal "$("$AIMG" ls verbs.aimg | grep -c 'other.pgm\|large.pgm')" 1
    expect_equal "$("$AIMG" cat --column note verbs.aimg other.pgm)" "$(cat waited.csv)"
    expect_equal "$(commits verbs.aimg)" 9
    rm -f held
}

# A signal ends the wait.
test_wait_stopped() {
    hold_lock f.aimg
    rm -f waited
    "$AIMG" add --wait f.aimg late 2>waited &
    pid=$!
    wait_for grep -q 'waiting for another writer' waited || fail 'it did not wait' waited
    kill -INT $pid
    ended
    kill $holder
    expect_equal "$status" 3
    expect_contains waited 'a signal ended the wait'
}

test_stopped() {
    worn g.aimg
    cp g.aimg same
    with_shim AT_WRITE='kill -TERM $PPID' "$AIMG" compact g.aimg
    expect_equal "$status" 3
    expect_contains err interrupted
    expect_contains err 'g.aimg is as it was'
    expect_same g.aimg same
    expect_absent g.aimg.compact
    with_shim AT_WRITE='kill -KILL $PPID' "$AIMG" compact g.aimg 2>/dev/null
    expect_equal "$status" 137
    expect_same g.aimg same
    expect_true 'a kill leaves the unfinished file' [ -s g.aimg.compact ]
    expect_equal "$(stat -c %a g.aimg.compact)" 600
    with_shim AT_WRITE='unset AT_WRITE; "$AIMG" compact g.aimg -o g2.aimg 2>second; mv second kept' AIMG="$AIMG" \
        "$AIMG" compact g.aimg
    expect_equal "$status" 0
    expect_contains kept 'compacted g.aimg'
    expect_whole g.aimg worn
    expect_absent g.aimg.compact
}

# What is left has no other name by then, so the message has to tell of it.
test_replaced_meanwhile() {
    worn l.aimg
    cp b.aimg other
    cp b.aimg same
    expect_shim 3 AT_WRITE='mv other l.aimg' "$AIMG" compact l.aimg
    expect_contains err 'l.aimg: was removed or replaced by another program meanwhile; l.aimg.compact is whole'
    expect_contains err 'rename it by hand, or remove it'
    expect_same l.aimg same
    expect_whole l.aimg.compact worn
    rm l.aimg.compact
}

# What could not be synced may not be whole.
test_sync_fails() {
    worn m.aimg
    cp m.aimg same
    expect_shim 3 NO_FSYNC=1 "$AIMG" compact m.aimg
    expect_contains err 'm.aimg.compact: cannot sync: Input/output error; it may not be whole and is removed'
    expect_same m.aimg same
    expect_absent m.aimg.compact
    expect_shim 3 NO_FSYNC=1 "$AIMG" compact m.aimg -o n.aimg
    expect_absent n.aimg n.aimg.compact
    expect_exit 0 "$AIMG" compact m.aimg
}

# What lies where it works is thrown away only when a compact that was stopped has left it.
test_in_the_way() {
    worn h.aimg
    cp h.aimg same
    cp b.aimg h.aimg.compact
    expect_exit 1 "$AIMG" compact h.aimg
    expect_contains err 'h.aimg.compact: is in the way'
    expect_same h.aimg.compact b.aimg
    echo text >h.aimg.compact
    expect_exit 1 "$AIMG" compact h.aimg
    expect_equal "$(cat h.aimg.compact)" text
    expect_same h.aimg same
    : >h.aimg.compact
    expect_exit 0 "$AIMG" compact h.aimg -o h2.aimg
    expect_exit 0 "$AIMG" compact h.aimg
    cp b.aimg h.aimg.compact
    expect_exit 0 "$AIMG" compact --force h.aimg
    expect_whole h.aimg worn
    mkdir h.aimg.compact
    expect_exit 1 "$AIMG" compact --force h.aimg
    rmdir h.aimg.compact
    # Two at a time make the same file.
    with_shim AT_WRITE='unset AT_WRITE; "$AIMG" compact b.aimg -o i.aimg 2>second; echo $? >second-status' AIMG="$AIMG" \
        "$AIMG" compact g.aimg -o i.aimg
    expect_equal "$status $(cat second-status)" '0 3'
    expect_contains second "another 'aimg compact' is writing it now"
}

test_damage() {
    worn j.aimg
    "$python" - <<'PY'
data = bytearray(open('j.aimg', 'rb').read())
at = data.index(b'new 20new 20')
data[at] ^= 1
open('j.aimg', 'wb').write(data)
PY
    cp j.aimg same
    expect_exit 4 "$AIMG" compact j.aimg
    expect_contains err "'set 2/20.pgm' is damaged"
    expect_contains err 'j.aimg is as it was'
    expect_same j.aimg same
    expect_absent j.aimg.compact
    # Damage to what is dead does not matter: it is dropped.
    worn j.aimg
    "$python" - <<'PY'
data = bytearray(open('j.aimg', 'rb').read())
at = data.index(b'worn/set 2/20.pgmworn/set 2/20.pgm')
data[at] ^= 1
open('j.aimg', 'wb').write(data)
PY
    expect_exit 0 "$AIMG" compact j.aimg
    expect_whole j.aimg worn
}

test_no_room() {
    worn k.aimg
    cp k.aimg same
    (ulimit -f 1000; exec "$AIMG" compact k.aimg) >out 2>err
    expect_equal $? 3
    expect_contains err 'File too large'
    expect_contains err 'k.aimg is as it was'
    expect_same k.aimg same
    expect_absent k.aimg.compact
    mkdir -p disk many
    for i in $(seq 500); do echo "$i" >"many/$(printf '%0200d' "$i").txt"; done
    expect_exit 0 "$AIMG" pack --quiet --compress store --all many.aimg many
    expect_exit 0 "$AIMG" compact --dry-run --json many.aimg
    if ! may_mount; then
        skip 'a full disk: not allowed to mount'
        return
    fi
    size=$(stat -c %s many.aimg)
    for room in 40000 $(($(json out 'o["bytes_after"]') - 24000)); do
        expect_exit 3 unshare -m sh -c 'mount -t tmpfs -o size='$((size + room))' none disk; cp many.aimg disk
            "$1" compact disk/many.aimg; code=$?; ls -A disk >left; cmp many.aimg disk/many.aimg || code=9; exit $code' sh "$AIMG"
        if [ "$room" = 40000 ]; then
            expect_contains err 'the new file takes at least'
        else
            expect_contains err 'No space left on device'
            expect_contains err 'name a file on another disk with --output'
            expect_contains err 'many.aimg is as it was'
        fi
        expect_equal "$(cat left)" many.aimg
    done
}

test_in_place
test_output
test_reproducible
test_columns
test_durable
test_names_of_the_file
test_attributes
test_bad_input
test_writer_at_work
test_second_writer
test_verbs_wait
test_wait_stopped
test_stopped
test_replaced_meanwhile
test_sync_fails
test_in_the_way
test_damage
test_no_room
finish
