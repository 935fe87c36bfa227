# SPDX-License-Identifier: Apache-2.0
# aimg pack: parts, stopping and going on, files that change, full disks, the bound of memory.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"

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
        wait_for [ -e early.aimg.part ] || fail "pack ended before SIG$signal"
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
    wait_for [ -e running.aimg.part ]
    expect_exit 3 "$AIMG" pack --force running.aimg small
    expect_contains err "another 'aimg pack' is writing it now"
    expect_exit 3 "$AIMG" pack --resume running.aimg small
    rm running.aimg.part
    kill -INT "$pid"
    ended
    rm -rf big
}

# A file that changes while it is compressed, which takes seconds: mapped files are looked at again afterwards.
test_changing_file() {
    mkdir -p changing
    { printf 'P5\n5000 5000\n255\n'; head -c 25000000 /dev/urandom; } >changing/1.pgm
    make_picture changing/2.pgm 2 2
    for change in 'touch -d @5 changing/1.pgm' 'truncate -s 20000000 changing/1.pgm' 'truncate -s 30000000 changing/1.pgm'; do
        start changing.aimg --force --compress zstd --level 19 --threads 1 changing
        wait_for [ -e changing.aimg.part ]
        sleep 0.2
        $change
        ended
        expect_equal "$status" 1
        expect_contains background 'changing/1.pgm: changed while it was being read; left out'
        expect_names changing.aimg 2.pgm
        expect_exit 0 "$AIMG" verify changing.aimg
    done
    rm -r changing changing.aimg
}

test_no_room() {
    make_picture room/1.pgm 1000 1000
    make_picture room/2.pgm 1000 1000
    (ulimit -f 1000; exec "$AIMG" pack room.aimg room) >out 2>err
    expect_equal $? 3
    expect_contains err 'File too large'
    expect_contains err 'room.aimg was not made'
    expect_absent room.aimg room.aimg.part
    mkdir disk
    # In a mount namespace of its own, so that nothing is left behind whatever happens.
    run unshare -m sh -c 'mount -t tmpfs -o size=1500k none disk || exit 77
        "$1" pack disk/room.aimg room; code=$?; ls -A disk >left; exit $code' sh "$AIMG"
    if [ "$status" = 3 ]; then
        expect_contains err 'No space left on device'
        expect_lines left 0
        expect_exit 3 unshare -m sh -c 'mount -t tmpfs -o ro none disk; exec "$1" pack disk/room.aimg room' sh "$AIMG"
        expect_contains err 'Read-only file system'
    else
        skip 'a full disk and a read-only one: not allowed to mount'
    fi
}

test_memory() {
    if grep -qaE '__asan_init|__tsan_init' "$AIMG"; then
        skip 'the bound of memory: a sanitizer takes its own'
        return
    fi
    mkdir -p memory/small
    for i in 1 2 3; do
        printf 'P5\n6000 2500\n255\n%s' "$i" >"memory/m$i.pgm"
        truncate -s 15000016 "memory/m$i.pgm"
        for j in a b c d e; do cp "memory/m$i.pgm" "memory/m$i$j.pgm"; done
    done
    printf 'P5\n20000 10000\n255\n' >memory/large.pgm
    truncate -s 200000017 memory/large.pgm
    # So many long names that the folder has to be walked twice.
    "$python" -c 'for i in range(60000): open("memory/small/%0246d.pgm" % i, "w").write("P5\n1 1\n255\nx")'
    start memory.aimg --compress zstd --level 3 --threads 4 memory
    most=0
    while kill -0 "$pid" 2>/dev/null; do
        now=$(sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null)
        [ "${now:-0}" -le "$most" ] || most=$now
    done
    ended
    expect_equal "$status" 0
    expect_true "memory was measured ($most kB)" [ "$most" -gt 1000 ]
    expect_true "at most 256 MiB of memory, not $most kB" [ "$most" -le 262144 ]
    (cd memory && find . -type f -printf '%P\n' | LC_ALL=C sort) >order
    "$AIMG" ls memory.aimg >listed
    expect_same order listed
    rm -r memory
}

test_parts
test_stop_early
test_stop_late
test_running_pack
test_changing_file
test_no_room
test_memory
finish
