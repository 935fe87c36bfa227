# SPDX-License-Identifier: Apache-2.0
# aimg pack: parts, stopping and going on, files that change, full disks, the bound of memory.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"
: "${WRITE_SHIM:?set it to the path of write_shim.so}"

test_parts() {
    big 1 2 3
    expect_exit 0 "$AIMG" pack parts.aimg --compress zstd --level 1 big
    expect_equal "$(commits parts.aimg)" 2
    expect_exit 0 "$AIMG" pack one.aimg --compress zstd --level 1 --one-commit --force big
    expect_equal "$(commits one.aimg)" 1
    rm parts.aimg one.aimg
}

test_stop_early() {
    for signal in INT TERM KILL; do
        start early.aimg --compress zstd --level 19 big
        wait_for has_head early.aimg.part || fail "pack ended before SIG$signal"
        kill -$signal "$pid"
        ended
        if [ $signal = KILL ]; then
            expect_equal "$status" 137
            expect_true 'a kill leaves the unfinished file' [ -e early.aimg.part ]
            expect_exit 1 "$AIMG" pack early.aimg big
        else
            expect_equal "$status" 3
            expect_contains background interrupted
            expect_contains background 'early.aimg was not made'
            expect_absent early.aimg.part
        fi
        expect_absent early.aimg
    done
    make_picture small/1.pgm 2 2
    expect_exit 0 "$AIMG" pack --resume early.aimg small
    expect_names early.aimg 1.pgm
    expect_exit 0 "$AIMG" verify early.aimg
}

test_stop_late() {
    big 4 5
    for signal in INT KILL; do
        rm -f late.aimg
        start late.aimg --compress zstd --level 6 --threads 1 big
        wait_for has_commit late.aimg.part || fail "pack ended before SIG$signal"
        kill -$signal "$pid"
        ended
        expect_absent late.aimg
        expect_true 'the unfinished file stays' [ -e late.aimg.part ]
        if [ $signal = KILL ]; then
            expect_exit 0 "$AIMG" pack --resume late.aimg --compress zstd --level 6 --threads 1 big
        else
            expect_equal "$status" 3
            command=$(grep -F 'aimg pack --resume' background)
            expect_equal "$command" '  aimg pack --resume late.aimg --compress zstd --level 6 --threads 1 big'
            eval "\"\$AIMG\" ${command#  aimg}" >out 2>err
            expect_equal $? 0
            expect_contains err 'skipped as they are there:'
        fi
        expect_big late.aimg
        expect_absent late.aimg.part
        expect_exit 0 "$AIMG" verify --quick late.aimg
    done
    rm late.aimg
}

test_running_pack() {
    start running.aimg --compress zstd --level 19 big
    wait_for holds_lock || fail 'pack ended before it was disturbed'
    expect_exit 3 "$AIMG" pack --force running.aimg small
    expect_contains err "another 'aimg pack' is writing it now"
    expect_exit 3 "$AIMG" pack --resume running.aimg small
    expect_contains err 'another writer has'
    expect_lacks err '--wait'
    expect_lacks err 'starts again'
    rm running.aimg.part
    kill -INT "$pid"
    ended
    rm -rf big
}

# What an earlier pack has left is thrown away when nothing else can help, and when the new one can begin.
test_unfinished() {
    echo 'no archive' >unfinished.aimg.part
    expect_exit 4 "$AIMG" pack --resume unfinished.aimg small
    expect_contains err 'cannot be resumed; --force without --resume starts again'
    make_picture "$(printf 'odd/bad\377.pgm')" 2 2
    for input in odd mistyped; do
        expect_exit 1 "$AIMG" pack --force unfinished.aimg $input
        expect_equal "$(cat unfinished.aimg.part)" 'no archive'
    done
    expect_contains err 'mistyped: cannot find this'
    expect_exit 0 "$AIMG" pack --force unfinished.aimg small
    expect_names unfinished.aimg 1.pgm
    expect_absent unfinished.aimg.part
}

# Somebody begins to add to the archive that is to be replaced: what they add would be lost.
test_replaced_archive() {
    mkdir -p slow
    { printf 'P5\n5000 5000\n255\n'; head -c 25000000 /dev/urandom; } >slow/1.pgm
    expect_exit 0 "$AIMG" pack held.aimg small
    start held.aimg --force --compress zstd --level 19 --threads 1 slow
    wait_for holds_lock || fail 'pack ended before it was disturbed'
    hold_lock held.aimg
    ended
    kill $holder
    expect_equal "$status" 3
    expect_contains background "held.aimg: another 'aimg' is adding to it now"
    expect_names held.aimg 1.pgm
    expect_exit 0 "$AIMG" verify held.aimg.part
    rm -r slow held.aimg.part
}

# A file that changes while it is compressed, which takes seconds: mapped files are looked at again afterwards.
test_changing_file() {
    mkdir -p changing
    { printf 'P5\n5000 5000\n255\n'; head -c 25000000 /dev/urandom; } >changing/1.pgm
    make_picture changing/2.pgm 2 2
    for change in 'touch -d @5 changing/1.pgm' 'truncate -s 20000000 changing/1.pgm' 'truncate -s 30000000 changing/1.pgm'; do
        start changing.aimg --force --compress zstd --level 19 --threads 1 changing
        wait_for has_mapped changing/1.pgm || fail 'pack ended before its file changed'
        $change
        ended
        expect_equal "$status" 1
        expect_contains background 'changing/1.pgm: changed while it was being read; left out'
        expect_names changing.aimg 2.pgm
        expect_exit 0 "$AIMG" verify changing.aimg
    done
    rm -r changing changing.aimg
}

# Who waits for a large file is told what for; the second signal does not wait.
test_stop_twice() {
    mkdir -p twice
    { printf 'P5\n5000 10000\n255\n'; head -c 50000000 /dev/urandom; } >twice/1.pgm
    start twice.aimg --compress zstd --level 19 --threads 1 twice
    wait_for has_mapped twice/1.pgm || fail 'pack ended before it was stopped'
    kill -INT "$pid"
    wait_for grep -q 'stopping when the current file is done; Ctrl-C again to stop at once' background ||
        fail 'nothing was said of the wait' background
    kill -INT "$pid"
    ended
    expect_equal "$status" 130
    expect_exit 0 "$AIMG" pack --resume twice.aimg small
    expect_names twice.aimg 1.pgm
    rm -r twice twice.aimg
}

# Cut short when its bytes are written: the file is to blame, not the archive.
test_cut_while_stored() {
    mkdir cut
    { printf 'P5\n5000 5000\n255\n'; head -c 25000000 /dev/zero; } >cut/1.pgm
    with_shim AT_WRITE='truncate -s 1000000 cut/1.pgm' "$AIMG" pack cut.aimg cut
    expect_equal "$status" 3
    expect_contains err 'cut/1.pgm: changed while it was being stored'
    expect_lacks err 'Bad address'
    expect_absent cut.aimg cut.aimg.part
    rm -r cut
}

# Large files are compressed on the disk: how, and whether there is room, shows or makes no difference.
test_scratch() {
    mkdir -p scratch disk
    { printf 'P5\n5000 5000\n255\n'; seq 5000000 | tr '\n' ' ' | head -c 25000000; } >scratch/1.pgm
    export SOURCE_DATE_EPOCH=1700000000
    expect_exit 0 "$AIMG" pack with.aimg --compress zstd scratch
    expect_true 'a large picture is compressed' [ "$(stat -c %s with.aimg)" -lt 12000000 ]
    with_shim NO_TMPFILE=1 "$AIMG" pack without.aimg --compress zstd scratch
    expect_equal "$status" 0
    expect_same with.aimg without.aimg
    expect_absent .aimg-scratch-*
    unset SOURCE_DATE_EPOCH
    make_picture scratch/2.pgm 2 2
    truncate -s 300G scratch/movie.mkv
    if may_mount; then
        expect_exit 1 unshare -m sh -c 'mount -t tmpfs -o size=20m none disk
            "$1" pack disk/room.aimg --compress zstd scratch; code=$?; "$1" ls disk/room.aimg >left; exit $code' sh "$AIMG"
        expect_contains err 'scratch/1.pgm: no room beside the archive to compress it (--compress store needs none): '
        expect_contains err ': No space left on device; left out'
        expect_contains err 'left out: 1 that is no picture'
        expect_lacks err movie.mkv
        expect_equal "$(cat left)" 2.pgm
    else
        skip 'a disk without room to compress on: not allowed to mount'
    fi
    rm -r scratch
}

# How many mapped files wait, each with its scratch, is bounded: here they come while the first is being written.
test_mapped_count() {
    mkdir mapped
    { printf 'P5\n5000 5000\n255\n'; head -c 25000000 /dev/zero; } >mapped/00.pgm
    for i in $(seq 10 69); do ln mapped/00.pgm mapped/$i.pgm; done
    with_shim AT_WRITE='sleep 2; ls -l /proc/$PPID/fd | grep -c mapped/..\\.pgm >waiting' \
        "$AIMG" pack mapped.aimg --threads 4 mapped
    expect_equal "$status" 0
    expect_true "at most 10 mapped files wait, and one a thread for its turn, not $(cat waiting)" [ "$(cat waiting)" -le 15 ]
    expect_true 'some do' [ "$(cat waiting)" -ge 2 ]
    rm -r mapped mapped.aimg
}

# Nothing that is not on the disk gets the name of the archive, not even an empty one.
test_durable() {
    mkdir durable
    expect_durable part durable.aimg "$AIMG" pack durable.aimg durable
    make_picture durable/1.pgm 9 9
    expect_durable part durable.aimg "$AIMG" pack --force durable.aimg durable
}

test_no_room() {
    make_picture room/1.pgm 1000 1000
    make_picture room/2.pgm 1000 1000
    (ulimit -f 1000; exec "$AIMG" pack --compress store room.aimg room) >out 2>err
    expect_equal $? 3
    expect_contains err 'File too large'
    expect_contains err 'room.aimg was not made'
    expect_absent room.aimg room.aimg.part
    mkdir -p disk
    # In a mount namespace of its own, so that nothing is left behind whatever happens.
    if may_mount; then
        expect_exit 3 unshare -m sh -c 'mount -t tmpfs -o size=1500k none disk
            "$1" pack --compress store disk/room.aimg room; code=$?; ls -A disk >left; exit $code' sh "$AIMG"
        expect_contains err 'No space left on device'
        expect_lines left 0
        expect_exit 3 unshare -m sh -c 'mount -t tmpfs -o ro none disk; exec "$1" pack disk/room.aimg room' sh "$AIMG"
        expect_contains err 'Read-only file system'
    else
        skip 'a full disk and a read-only one: not allowed to mount'
    fi
}

test_memory() {
    if sanitized; then
        skip 'the bound of memory: a sanitizer takes its own'
        return
    fi
    mkdir -p memory/small
    for i in 1 2 3 4 5 6; do
        printf 'P5\n6000 2500\n255\n%s' "$i" >"memory/m$i.pgm"
        truncate -s 15000016 "memory/m$i.pgm"
        for j in a b c d e; do cp "memory/m$i.pgm" "memory/m$i$j.pgm"; done
    done
    printf 'P5\n20000 10000\n255\n' >memory/large.pgm
    truncate -s 200000017 memory/large.pgm
    # So many long names that the folder has to be walked twice.
    "$python" -c 'for i in range(60000): open("memory/small/%0246d.pgm" % i, "w").write("P5\n1 1\n255\nx")'
    (cd memory && find . -type f -printf '%P\n' | LC_ALL=C sort) >order
    for method in zstd auto; do
        start memory.aimg --force --compress $method --level 3 --threads 4 memory
        most=0
        # Every hundredth of a second, and not at once again: that would take a core from what is watched.
        while kill -0 "$pid" 2>/dev/null; do
            sleep 0.01
            [ "/proc/$pid/exe" -ef "$AIMG" ] || continue # the shell, before it becomes the tool
            { now=$(<"/proc/$pid/status"); } 2>/dev/null || continue
            case $now in *RssAnon:*) ;; *) continue ;; esac # it has ended
            now=${now#*RssAnon:} now=${now%%kB*}
            [ "$((now))" -le "$most" ] || most=$((now))
        done
        ended
        expect_equal "$status" 0
        expect_true "memory was measured ($most kB)" [ "$most" -gt 1000 ]
        expect_true "$method: at most 256 MiB of memory, not $most kB" [ "$most" -le 262144 ]
        "$AIMG" ls memory.aimg >listed
        expect_same order listed
    done
    rm -r memory
}

test_parts
test_stop_early
test_stop_late
test_running_pack
test_unfinished
test_replaced_archive
test_changing_file
test_stop_twice
test_cut_while_stored
test_durable
test_no_room
test_scratch
test_mapped_count
test_memory
finish
