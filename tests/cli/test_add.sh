# SPDX-License-Identifier: Apache-2.0
# aimg add: appending, names that are there already, and what is left when it is stopped.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"
: "${MAKE_COLUMNS:?set it to the path of the make_columns program}"

test_append() {
    make_picture first/cat/1.pgm 2 2
    make_picture second/dog/1.pgm 3 3
    make_picture second/dog/2.pgm 3 3
    echo text >second/notes.txt
    expect_exit 0 "$AIMG" pack a.aimg first
    head -c "$(stat -c %s a.aimg)" a.aimg >old
    expect_exit 0 "$AIMG" add a.aimg second
    expect_contains err 'added 2 images, '
    expect_contains err 'left out: 1 that is no picture'
    expect_names a.aimg cat/1.pgm dog/1.pgm dog/2.pgm
    expect_bytes a.aimg dog/2.pgm second/dog/2.pgm
    expect_equal "$(commits a.aimg)" 2
    expect_exit 0 "$AIMG" verify a.aimg
    # Nothing that was committed is rewritten, but for the hints in the head.
    expect_true 'old bytes stay' cmp -s -i 12288 -n $(($(stat -c %s old) - 12288)) old a.aimg
    expect_exit 0 "$AIMG" add a.aimg --prefix more/ --all second --message 'with notes'
    expect_names a.aimg cat/1.pgm dog/1.pgm dog/2.pgm more/dog/1.pgm more/dog/2.pgm more/notes.txt
    expect_exit 0 "$AIMG" log a.aimg
    expect_contains out 'with notes'
    cp a.aimg same.aimg
    mkdir nothing
    expect_exit 0 "$AIMG" add a.aimg nothing
    expect_same a.aimg same.aimg
    # The archive itself is never an input.
    mkdir self && cp a.aimg self/a.aimg && make_picture self/new.pgm 2 2
    ln -s a.aimg self/link
    expect_exit 0 "$AIMG" add --all self/a.aimg self
    expect_names self/a.aimg cat/1.pgm dog/1.pgm dog/2.pgm more/dog/1.pgm more/dog/2.pgm more/notes.txt new.pgm
}

test_name_there() {
    expect_exit 0 "$AIMG" pack there.aimg first
    cp there.aimg before.aimg
    make_picture third/cat/1.pgm 9 9
    make_picture third/cat/0.pgm 9 9
    expect_exit 1 "$AIMG" add there.aimg third
    expect_contains err "third/cat/1.pgm: the archive has the name 'cat/1.pgm' already"
    expect_contains err 'nothing was written'
    expect_same there.aimg before.aimg
    expect_exit 0 "$AIMG" add --skip-existing there.aimg third
    expect_contains err 'skipped as they are there: 1'
    expect_names there.aimg cat/1.pgm cat/0.pgm
    expect_bytes there.aimg cat/1.pgm first/cat/1.pgm
    expect_exit 0 "$AIMG" add --replace there.aimg third
    expect_contains err 'replaced: 2'
    expect_bytes there.aimg cat/1.pgm third/cat/1.pgm
    expect_exit 0 "$AIMG" verify there.aimg
    expect_equal "$("$AIMG" ls there.aimg | wc -l)" 2
    # A name that is there under --all is no obstacle for a file that would be left out.
    echo text | tee first/notes >third/notes
    expect_exit 0 "$AIMG" add --all there.aimg third/notes
    make_picture third/cat/2.pgm 2 2
    expect_exit 0 "$AIMG" add there.aimg third/notes third/cat/2.pgm
    expect_exit 2 "$AIMG" add --replace --update there.aimg third
    # One name from two inputs is a mistake whatever is done with names that are there.
    cp there.aimg before.aimg
    for option in --replace --skip-existing --update; do
        expect_exit 1 "$AIMG" add $option there.aimg first third
        expect_contains err "first/cat/1.pgm and third/cat/1.pgm would both be stored as 'cat/1.pgm'"
        expect_same there.aimg before.aimg
    done
}

# A file with the name of an attachment takes nobody's place: it is left out, and said.
test_attachment_name() {
    make_picture owner/x 3 3 x
    make_picture mask.pgm 3 3 mask
    make_picture clash/x:mask 3 3 other
    make_picture clash/y 3 3 y
    expect_exit 0 "$AIMG" pack owner.aimg owner
    expect_exit 0 "$AIMG" attach owner.aimg x mask mask.pgm
    cp owner.aimg before.aimg
    expect_exit 1 "$AIMG" add owner.aimg clash
    expect_contains err "clash/x:mask: the archive has an attachment 'x:mask' already"
    expect_contains err 'has 1 of these names already; nothing was written. Use --prefix'
    for option in --replace --skip-existing --update; do
        cp before.aimg owner.aimg
        expect_exit 1 "$AIMG" add $option --strict owner.aimg clash/x:mask
        expect_same owner.aimg before.aimg
        expect_exit 1 "$AIMG" add $option owner.aimg clash
        expect_contains err 'clash/x:mask: an attachment in the archive has its name; --prefix gives it another one'
        expect_contains err 'added 1 image'
        expect_names owner.aimg x y
        "$AIMG" cat --column mask owner.aimg x >out
        expect_same out mask.pgm
    done
    echo text >clash/x:mask # is no matter, as it would not be stored
    expect_exit 0 "$AIMG" add --skip-existing owner.aimg clash
    expect_contains err 'skipped as they are there: 1'
}

# A clash that is only found when most is stored: more than 20 pairs of a text and a picture look like one before.
test_late_clash() {
    make_picture late1/b.pgm 2 2
    make_picture late1/z.pgm 2 2
    make_picture late2/z.pgm 2 2
    for i in $(seq -w 21); do echo text >late1/t$i.pgm && make_picture late2/t$i.pgm 2 2; done
    "$python" -c 'for i in range(3000): open("late2/a%04d.pgm" % i, "w").write("P5\n1 1\n255\nx")'
    expect_exit 0 "$AIMG" pack late.aimg first
    cp late.aimg before.aimg
    expect_exit 1 "$AIMG" add --skip-existing --threads 1 --prefix P/ late.aimg late1 late2
    expect_contains err "late1/z.pgm and late2/z.pgm would both be stored as 'P/z.pgm'"
    expect_same late.aimg before.aimg
}

# Full is not damaged.
test_full_archive() {
    "$MAKE_COLUMNS" full.aimg 1004
    cp full.aimg before.aimg
    expect_exit 3 "$AIMG" add full.aimg second
    expect_contains err 'full.aimg: an archive has at most 1024 columns'
    expect_same full.aimg before.aimg
    expect_exit 0 "$AIMG" verify full.aimg
}

# Without times: the same bytes are skipped, whatever the times say.
test_update_by_bytes() {
    make_picture bytes/a.pgm 4 4 a
    make_picture bytes/b.pgm 4 4 b
    make_picture bytes/c.pgm 4 4 c
    expect_exit 0 "$AIMG" pack bytes.aimg bytes
    touch -d @1000 bytes/a.pgm
    make_picture bytes/b.pgm 4 4 B
    make_picture bytes/d.pgm 4 4 d
    expect_exit 0 "$AIMG" add --update bytes.aimg bytes
    expect_contains err 'added 2 images'
    expect_contains err 'replaced: 1'
    expect_contains err 'skipped as they are there: 2'
    expect_bytes bytes.aimg b.pgm bytes/b.pgm
    expect_bytes bytes.aimg d.pgm bytes/d.pgm
    cp bytes.aimg before.aimg
    expect_exit 0 "$AIMG" add --update bytes.aimg bytes
    expect_contains err 'skipped as they are there: 4'
    expect_same bytes.aimg before.aimg
}

# With times: size and time decide; a file with both the same is not even read.
test_update_by_time() {
    make_picture times/a.pgm 4 4 a
    make_picture times/b.pgm 4 4 b
    touch -d @1000 times/a.pgm times/b.pgm
    expect_exit 0 "$AIMG" pack times.aimg --times times
    make_picture times/a.pgm 4 4 A
    touch -d @1000 times/a.pgm
    touch -d @2000.000000001 times/b.pgm
    cp times/b.pgm times/b.old
    expect_exit 0 "$AIMG" add --update times.aimg times/a.pgm times/b.pgm
    expect_contains err 'replaced: 1'
    expect_contains err 'skipped as they are there: 1'
    "$AIMG" cat times.aimg a.pgm >a.stored
    expect_false 'the same size and time is taken for the same' cmp -s a.stored times/a.pgm
    # What was replaced has its new time, so that a second update finds nothing to do.
    cp times.aimg before.aimg
    expect_exit 0 "$AIMG" add --update times.aimg times/a.pgm times/b.pgm
    expect_contains err 'skipped as they are there: 2'
    expect_same times.aimg before.aimg
    expect_exit 0 "$AIMG" info --json times.aimg b.pgm
    expect_contains out 2000000000001
}

test_wrong_archive() {
    expect_exit 3 "$AIMG" add missing.aimg first
    expect_contains err "missing.aimg: is not there; 'aimg pack' makes an archive"
    expect_false 'add makes nothing' [ -e missing.aimg ]
    echo 'some text' >text.aimg
    expect_exit 4 "$AIMG" add text.aimg first
    : >void.aimg
    expect_exit 4 "$AIMG" add void.aimg first
    expect_exit 4 "$AIMG" add first first
    head -c $(($(stat -c %s a.aimg) - 5000)) a.aimg >cut.aimg
    cp cut.aimg cut.before
    expect_exit 4 "$AIMG" add cut.aimg first
    expect_same cut.aimg cut.before
    expect_exit 2 "$AIMG" add
    expect_exit 2 "$AIMG" add a.aimg
    expect_exit 2 "$AIMG" add --force a.aimg first
    expect_exit 1 "$AIMG" add a.aimg no-such-input
    expect_contains err 'no-such-input: cannot find this'
    expect_exit 0 "$AIMG" add --help
    expect_contains out 'usage: aimg add [options] ARCHIVE PATH...'
}

test_strict_and_names() {
    expect_exit 0 "$AIMG" pack strict.aimg first
    cp strict.aimg before.aimg
    make_picture mixed/1.pgm 2 2
    ln -s nowhere mixed/2.pgm
    make_picture mixed/3.pgm 2 2
    expect_exit 1 "$AIMG" add --strict strict.aimg mixed
    expect_contains err 'nothing was added'
    expect_same strict.aimg before.aimg
    expect_exit 1 "$AIMG" add strict.aimg mixed
    expect_names strict.aimg cat/1.pgm 1.pgm 3.pgm
    cp strict.aimg before.aimg
    make_picture "$(printf 'odd/bad\377.pgm')" 2 2
    expect_exit 1 "$AIMG" add strict.aimg odd
    expect_same strict.aimg before.aimg
    expect_exit 0 "$AIMG" add --escape-names strict.aimg odd
    expect_names strict.aimg cat/1.pgm 1.pgm 3.pgm bad%FF.pgm
}

test_same_bytes() {
    export SOURCE_DATE_EPOCH=1700000000
    expect_exit 0 "$AIMG" pack e1.aimg first
    cp e1.aimg e2.aimg
    expect_exit 0 "$AIMG" add --threads 1 e1.aimg second
    expect_exit 0 "$AIMG" add --threads 4 e2.aimg second
    expect_same e1.aimg e2.aimg
    unset SOURCE_DATE_EPOCH
    expect_exit 0 "$AIMG" verify e1.aimg
}

test_torn_tail() {
    expect_exit 0 "$AIMG" pack torn.aimg first
    head -c 5000 /dev/urandom >>torn.aimg
    expect_exit 0 "$AIMG" add torn.aimg second
    expect_contains err 'warning: torn.aimg: dropped 5.0 kB of an incomplete commit, with 0 images'
    expect_names torn.aimg cat/1.pgm dog/1.pgm dog/2.pgm
    expect_exit 0 "$AIMG" verify torn.aimg
}

# An add that takes seconds, because it compresses 25 MB as well as it can.
start_slow_add() {
    mkdir -p slow
    [ -e slow/1.pgm ] || { printf 'P5\n5000 5000\n255\n'; head -c 25000000 /dev/urandom; } >slow/1.pgm
    make_picture slow/0.pgm 2 2
    "$AIMG" add "$1" --compress zstd --level 19 --threads 1 slow >out 2>background </dev/null &
    pid=$!
}

test_stopped() {
    for signal in INT TERM KILL; do
        expect_exit 0 "$AIMG" pack --force stopped.aimg first
        "$AIMG" ls stopped.aimg >before.names
        start_slow_add stopped.aimg
        wait_for has_mapped slow/1.pgm || fail "add ended before SIG$signal"
        expect_exit 3 "$AIMG" add stopped.aimg second
        kill -$signal "$pid"
        wait "$pid" 2>/dev/null
        status=$?
        if [ $signal = KILL ]; then
            expect_equal "$status" 137
        else
            expect_equal "$status" 3
            expect_contains background 'stopped.aimg: nothing was added'
        fi
        "$AIMG" ls stopped.aimg >after.names 2>err
        expect_same before.names after.names
        expect_exit 0 "$AIMG" add stopped.aimg second
        expect_names stopped.aimg cat/1.pgm dog/1.pgm dog/2.pgm
        expect_exit 0 "$AIMG" verify stopped.aimg
    done
    rm -r slow
}

# Another program takes the archive away while it is added to: that is no success. pack --force is not the one who does it.
test_lost_archive() {
    for how in 'rm lost.aimg' 'mv other.aimg lost.aimg'; do
        expect_exit 0 "$AIMG" pack --force lost.aimg first
        expect_exit 0 "$AIMG" pack --force other.aimg first
        start_slow_add lost.aimg
        wait_for holds_lock || fail "add ended before: $how"
        expect_exit 3 "$AIMG" pack --force lost.aimg first
        expect_contains err "lost.aimg: another 'aimg' is adding to it now"
        expect_absent lost.aimg.part
        $how
        wait "$pid"
        expect_equal $? 3
        expect_contains background \
            'lost.aimg: was removed or replaced by another program meanwhile; what was done is lost with the old file'
        expect_lacks background 'added 2'
    done
    rm -r slow
}

test_no_room() {
    expect_exit 0 "$AIMG" pack room.aimg first
    cp room.aimg before.aimg
    for i in 1 2 3 4; do make_picture room/$i.pgm 1000 1000; done
    (ulimit -f 2000; exec "$AIMG" add --compress store room.aimg room) >out 2>err
    expect_equal $? 3
    expect_contains err 'File too large'
    expect_contains err 'nothing was added'
    expect_same room.aimg before.aimg
    expect_exit 0 "$AIMG" add room.aimg room
    expect_exit 0 "$AIMG" verify room.aimg
}

# More than 1 GiB of input is committed in parts; what was committed stays when the rest is stopped.
test_parts() {
    big 1 2 3 4 5
    expect_exit 0 "$AIMG" pack parts.aimg first
    "$AIMG" add parts.aimg --compress zstd --level 6 --threads 1 big >out 2>background </dev/null &
    pid=$!
    wait_for has_commit parts.aimg 1 || fail 'add ended before it was stopped'
    kill -INT "$pid"
    wait "$pid" 2>/dev/null
    expect_equal $? 3
    command=$(grep -F 'aimg add' background)
    expect_equal "$command" '  aimg add --update parts.aimg --compress zstd --level 6 --threads 1 big'
    eval "\"\$AIMG\" ${command#  aimg}" >out 2>err
    expect_equal $? 0
    expect_contains err 'skipped as they are there:'
    expect_big parts.aimg cat/1.pgm
    expect_exit 0 "$AIMG" verify --quick parts.aimg
    rm -r big
}

test_append
test_name_there
test_attachment_name
test_late_clash
test_full_archive
test_update_by_bytes
test_update_by_time
test_wrong_archive
test_strict_and_names
test_same_bytes
test_torn_tail
test_stopped
test_lost_archive
test_no_room
test_parts
finish
