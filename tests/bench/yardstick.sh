#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# yardstick.sh DIRECTORY: holds the peers of this benchmark against other programs for the same work, so that no peer here is
# slow by our own clumsiness. DIRECTORY has rread.c, pack.c, scale.c and cold.c with common.h. Each pair of programs takes turns;
# the figure is the median of the ratios of the rounds. Takes half an hour.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd -P)
. "$root/tests/ci/lib.sh"
. "$root/tests/bench/results.sh"

theirs=${1:-}
if [ -z "$theirs" ] || [ ! -f "$theirs/rread.c" ]; then
    say "skipped: no yardstick programs in '${theirs}'"
    exit 0
fi
theirs=$(cd "$theirs" && pwd -P)
rounds=${AIMG_YARDSTICK_ROUNDS:-7}
count=${AIMG_YARDSTICK_COUNT:-1000000}
work=$build/bench/yardstick
table=$work/table.md
bench=$build/bench/tests/bench/aimg-bench

ours() {
    "$bench" --data "${AIMG_TEST_DATA:-$root/../shared/data}" --work "$build/bench" --tool "$build/bench/tools/aimg" \
        --keep --plain --warm "$@" 2>/dev/null
}

# ours_value METRIC ARGUMENTS...: the median that it prints for the metric.
ours_value() {
    local metric=$1
    shift
    ours "$@" | awk -F '\t' -v metric="$metric" '$3 == metric { print $6; exit }'
}

# field NAME: the number after NAME= in the line on stdin.
field() { sed -n "s|.*$1=\([0-9.]*\).*|\1|p"; }

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# print_line LABEL THEIRS OURS RATIO: of the table.
print_line() {
    awk -v label="$1" -v a="$2" -v b="$3" -v r="$4" \
        'BEGIN { printf "| %s | %.4g | %.4g | %.3f | %s |\n", label, a, b, r, r <= 1.05 ? "yes" : "**no**" }' | tee -a "$table"
}

# compare LABEL UNIT FUNCTION_THEIRS FUNCTION_OURS: the two by turns; a line of the table.
compare() {
    local label=$1 unit=$2 their_turn=$3 our_turn=$4 round a b
    : >"$work/a"
    : >"$work/b"
    : >"$work/ratios"
    for ((round = 0; round < rounds; round++)); do
        if ((round % 2)); then
            a=$($their_turn)
            b=$($our_turn)
        else
            b=$($our_turn)
            a=$($their_turn)
        fi
        [ -n "$a" ] && [ -n "$b" ] || fail "$label: no figure (theirs '$a', ours '$b')"
        echo "$a" >>"$work/a"
        echo "$b" >>"$work/b"
        awk -v a="$a" -v b="$b" 'BEGIN { print b / a }' >>"$work/ratios"
    done
    print_line "$label, $unit" "$(median <"$work/a")" "$(median <"$work/b")" "$(median <"$work/ratios")"
}

build_theirs() {
    local name libraries
    mkdir -p "$work/out" "$work/data"
    cd "$work"
    for name in rread pack scale cold; do
        case $name in
            rread) libraries="-lsqlite3 -llmdb -lhdf5 -lzip" ;;
            pack) libraries="-lsqlite3 -llmdb -lhdf5 -larchive" ;;
            scale) libraries="-lsqlite3 -llmdb -lzip -larchive" ;;
            cold) libraries="-luring" ;;
        esac
        # shellcheck disable=SC2046,SC2086
        gcc -O3 -march=native -w $(pkg-config --cflags hdf5) "$theirs/$name.c" -o "$name" \
            $(pkg-config --libs-only-L hdf5) $libraries -lpthread
    done
    ln -sfn "$build/bench/data/cifar" data/cifar10
    ln -sfn "$build/bench/data/imagenet" data/imagenet-sample
    find -L data/cifar10 -type f | sort >cifar.lst
    find -L data/imagenet-sample -type f | sort >imagenet.lst
}

make_theirs() {
    local set=$1 folder=$2 mode
    for mode in flatsum lmdb1 sqlite4k h5flat lazip; do
        [ -f "out/$set.$mode" ] || ./pack "$mode" "$set.lst" "out/$set.$mode" >/dev/null
    done
    [ -f "out/$set.tar" ] || tar --sort=name -C "$folder" -cf "out/$set.tar" .
    sync
}

# ---- reads

their_read() { taskset -c 1 ./rread "$backend" "$set" 1 1 "$passes" 3 0 "$variant" | field ns/op; }
our_read() { ours_value "1 thread" --suite reads --set "$set" --only "$contender" --rounds 3; }

compare_reads() {
    while IFS='|' read -r backend variant passes contender; do
        compare "reads, $set: $contender" ns their_read our_read </dev/null
    done <<'LIST'
flatidx|0|8|limit: flat file, offset array, mapped
flatkey|0|8|flat file, hash of the name, key compared
lmdb|0|8|LMDB by key
tar|0|3|tar, offsets in memory, pread
sqlite4k|1|3|SQLite, mmap
sqlite4k|0|3|SQLite, default
dir|0|3|file: open, fstat, read, close
zip|0|3|zip, libzip
h5flat|0|3|HDF5, flat bytes and offsets
LIST
}

# ---- pack; each writes twice, for the first time over may fall on blocks of the disk that were never written

their_pack() {
    ./pack "$mode" "$set.lst" out/pack.tmp >/dev/null
    rm -f out/pack.tmp*
    ./pack "$mode" "$set.lst" out/pack.tmp | field pack_s
    rm -f out/pack.tmp*
}
our_pack() { ours_value "from memory, durable" --suite pack --set "$set" --only "$store" --rounds 1; }

compare_pack() {
    while read -r mode store; do
        compare "pack, $set: $store" s their_pack our_pack </dev/null
    done <<'LIST'
flatsum flat
lmdb1 lmdb
lmdb1app lmdb-append
sqlite4k sqlite
sqlite64k sqlite-64k
LIST
}

# ---- scale; their names are made with sprintf, whose time they print and we leave out

their_open() {
    local i
    for i in 1 2 3 4 5; do env $setting taskset -c 1 ./scale open "$backend" "$count" | field total_us; done | median
}
our_open() { ours_value "open and first read, warm" --suite scale --only "$store" --count "$count" --rounds 5; }
their_lookup() {
    env $setting taskset -c 1 ./scale open "$backend" "$count" |
        sed -n 's/.*lookup_ns=\([0-9.]*\) (keygen \([0-9.]*\)).*/\1 \2/p' | awk '{ print $1 - $2 }'
}
our_lookup() { ours_value "random read" --suite scale --only "$store" --count "$count" --rounds 5; }
their_batch() {
    ./scale open flat "$count" | sed -n 's/.*(keygen \([0-9.]*\)) batched_ns=\([0-9.]*\).*/\2 \1/p' | awk '{ print $1 - $2 }'
}
our_batch() {
    ours --suite scale --only flat --count "$count" --rounds 5 | awk -F '\t' '$4 == "flat file, batch of names" { print $6 }'
}

compare_scale() {
    for backend in flat lmdb sqlite; do
        [ -f "out/scale.$backend.$count" ] || ./scale build "$backend" "$count" >/dev/null
    done
    while IFS='|' read -r backend store setting; do
        compare "open and first read, $count: $store" us their_open our_open </dev/null
        compare "random read, $count: $store" ns their_lookup our_lookup </dev/null
    done <<'LIST'
flat|flat|NONE=1
lmdb|lmdb|NONE=1
sqlite|sqlite|NONE=1
sqlite|sqlite-mmap|MM=1
LIST
    compare "random read, $count: flat, batch of names" ns their_batch our_batch
}

# ---- cold; their program does all its work at once, so it runs between two runs of ours

compare_cold() {
    local label pattern before after their our
    ours full --suite cold --repeats --rounds 3 >"$work/before"
    ./cold "$build/bench/cold/cold.flat" >"$work/cold.out"
    ours full --suite cold --repeats --rounds 3 >"$work/after"
    rm -rf tmpd
    while IFS='|' read -r label pattern; do
        their=$(grep -F -- "$pattern" "$work/cold.out" | sed 's/.* \([0-9.]*\) us\/op.*/\1/')
        before=$(awk -F '\t' -v c="$label" '$4 == c { print $6 }' "$work/before")
        after=$(awk -F '\t' -v c="$label" '$4 == c { print $6 }' "$work/after")
        our=$(awk -v b="$before" -v c="$after" 'BEGIN { print (b + c) / 2 }')
        print_line "cold: $label, us" "$their" "$our" "$(awk -v a="$their" -v b="$our" 'BEGIN { print b / a }')"
    done <<'LIST'
flat file, pread|cold random 100000B th=1 pread                adv=normal
flat file, pread, random advice|cold random 100000B th=1 pread                adv=RANDOM
flat file, map, WILLNEED a read|cold random 100000B th=1 mmap WILLNEED+touch  adv=normal
flat file, io_uring, 64 deep|cold random 100KB io_uring qd=64 buffered
LIST
}

need_packages "${base_packages[@]}" "${bench_packages[@]}" libarchive-dev
heading "Build"
build_preset bench || fail "the build failed"
mkdir -p "$work"
ours --suite size --only directory >/dev/null # unpacks the sets
build_theirs
{
    printf '## The peers against other programs for the same work\n\n'
    printf '%s, commit %s, %s rounds by turns, one thread.\n\n' "$(date -u +%F)" "$(bench_commit)" "$rounds"
    printf '| work | theirs | ours | ours / theirs | at most 1.05 |\n|---|---|---|---|---|\n'
} >"$table"
heading "Compare"
for set in cifar imagenet; do
    make_theirs "$set" "data/$([ "$set" = cifar ] && echo cifar10 || echo imagenet-sample)/"
    compare_reads
    compare_pack
done
compare_scale
compare_cold
write_results yardstick "$table"
rm -rf "$work/out" "$build/bench/containers" "$build/bench/scale" "$build/bench/cold"
say "kept in $(shown "$results")"
