#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Duplicates: stored once by pack and add, listed by dups, counted by info.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"
: "${WRITE_SHIM:?set it to the path of write_shim.so}"

for i in 1 2 3; do make_picture "in/$i.pgm" 30 30 "$i"; done
mkdir -p in/again
cp in/1.pgm in/again/a.pgm
cp in/1.pgm in/again/b.pgm
cp in/3.pgm in/again/c.pgm

# expect_whole ARCHIVE FOLDER: the same files, and nothing wrong with the archive
expect_whole() {
    rm -rf copy
    expect_exit 0 "$AIMG" verify "$1"
    expect_exit 0 "$AIMG" unpack "$1" -C copy
    expect_same "$2" copy
}

aliases() { "$AIMG" info --json "$1" | "$python" -c 'import json, sys; print(json.load(sys.stdin)["aliases"])'; }

test_pack() {
    local compress
    for compress in store zstd auto; do
        expect_exit 0 "$AIMG" pack --force --compress $compress once.aimg in
        expect_contains err '; 3 duplicates stored once, '
        expect_contains err ' saved'
        expect_whole once.aimg in
        expect_equal "$(aliases once.aimg)" 3
        expect_exit 0 "$AIMG" pack --force --no-dedup --compress $compress each.aimg in
        expect_lacks err duplicate
        expect_whole each.aimg in
        expect_equal "$(aliases each.aimg)" 0
        expect_exit 0 "$AIMG" dups once.aimg
        cp out groups
        expect_exit 0 "$AIMG" dups each.aimg
        expect_same groups out
    done
    printf '%s\n' 1.pgm again/a.pgm again/b.pgm '' 3.pgm again/c.pgm >wanted
    expect_same wanted groups
    expect_exit 0 "$AIMG" pack --force --dedup session --compress store once.aimg in
    expect_contains err '; 3 duplicates stored once, 2.7 kB saved'
    expect_exit 0 "$AIMG" info once.aimg
    expect_contains out 'aliases       3 images, 2.7 kB shared with others'
    expect_exit 0 "$AIMG" info once.aimg again/a.pgm
    expect_contains out alias
    expect_exit 0 env SOURCE_DATE_EPOCH=1 "$AIMG" pack --dedup=all --threads 4 first.aimg in
    expect_exit 0 env SOURCE_DATE_EPOCH=1 "$AIMG" pack --dedup=all --threads 1 second.aimg in
    expect_same first.aimg second.aimg
}

test_add() {
    make_picture more/4.pgm 30 30 4
    cp in/2.pgm more/5.pgm
    cp in/2.pgm more/6.pgm
    expect_exit 0 "$AIMG" pack --force --compress store grows.aimg in
    expect_exit 0 "$AIMG" add --compress store grows.aimg more # what this command has seen
    expect_contains err '; 1 duplicate stored once, 913 B saved'
    expect_exit 0 "$AIMG" add --dedup=all --prefix x/ grows.aimg more # and what is there
    expect_contains err '; 3 duplicates stored once'
    make_picture last/7.pgm 30 30 7
    cp in/1.pgm last/8.pgm
    expect_exit 0 "$AIMG" add grows.aimg last # the index is kept
    expect_contains err '; 1 duplicate stored once'
    expect_exit 0 "$AIMG" add --no-dedup --prefix y/ grows.aimg last
    expect_lacks err duplicate
    expect_exit 0 "$AIMG" add --prefix z/ grows.aimg last
    expect_contains err '; 2 duplicates stored once'
    mkdir -p all/{x,y,z}
    cp -r in/* more/* last/* all
    cp more/* all/x
    cp last/* all/y
    cp last/* all/z
    expect_whole grows.aimg all
    # A picture takes the place of one whose bytes others share, and comes back.
    expect_exit 0 "$AIMG" rm grows.aimg 1.pgm
    expect_exit 0 "$AIMG" add --replace grows.aimg in/again
    rm all/1.pgm
    cp in/again/* all
    expect_whole grows.aimg all
    expect_exit 0 "$AIMG" compact grows.aimg
    expect_whole grows.aimg all
    expect_exit 0 "$AIMG" add grows.aimg in/1.pgm
    expect_contains err '; 1 duplicate stored once'
}

test_dups() {
    expect_exit 0 "$AIMG" pack --force once.aimg in
    expect_exit 0 "$AIMG" dups --json once.aimg
    expect_lines out 2
    expect_equal "$("$python" -c '
import json
for line in open("out"):
    group = json.loads(line)
    print(group["bytes"], group["positions"], group["names"], len(group["xxh128"]))')" \
        "913 [0, 3, 4] ['1.pgm', 'again/a.pgm', 'again/b.pgm'] 32
913 [2, 5] ['3.pgm', 'again/c.pgm'] 32"
    expect_contains err '2 groups, 3 more than one of each; of these 3 share the bytes of another, the others take 0 B'
    expect_exit 0 "$AIMG" dups --fast once.aimg
    expect_same wanted out
    expect_exit 0 "$AIMG" dups -q once.aimg
    expect_same wanted out
    expect_lines err 0
    expect_exit 0 "$AIMG" dups once.aimg 'again/*'
    printf '%s\n' again/a.pgm again/b.pgm >wanted
    expect_same wanted out
    expect_exit 1 "$AIMG" dups once.aimg 'again/*' 'nothing*'
    expect_same wanted out
    expect_contains err "no image matches 'nothing*'"
    expect_exit 0 "$AIMG" rm once.aimg 1.pgm again/c.pgm # the first, whose bytes the others share
    expect_exit 0 "$AIMG" dups once.aimg
    expect_same wanted out
    expect_exit 0 "$AIMG" dups --at 0 once.aimg
    expect_lines out 6
    expect_exit 1 "$AIMG" dups --at 9 once.aimg
    expect_exit 0 "$AIMG" dups once.aimg 3.pgm
    expect_lines out 0
    expect_contains err 'no two images are equal'
    expect_exit 0 "$AIMG" pack --all empty.aimg --files-from /dev/null
    expect_exit 0 "$AIMG" dups empty.aimg
    expect_lines out 0
    for i in 0 1 2 3 4 5 6 7 8 9; do
        for k in 0 1 2 3 4 5 6 7 8 9; do make_picture "many/$i$k.pgm" 20 20 "$k"; done
    done
    expect_exit 0 "$AIMG" pack --no-dedup many.aimg many
    expect_exit 0 "$AIMG" dups many.aimg
    expect_lines out 109
    for k in 0 1 2 3 4 5 6 7 8 9; do
        for i in 0 1 2 3 4 5 6 7 8 9; do echo "$i$k.pgm"; done
        [ $k = 9 ] || echo
    done >wanted
    expect_same wanted out
}

test_damage() {
    expect_exit 0 "$AIMG" pack --force --no-dedup --compress store each.aimg in
    offset=$("$AIMG" info --json each.aimg again/a.pgm | "$python" -c 'import json, sys; print(json.load(sys.stdin)["offset"])')
    printf 'x' | dd of=each.aimg bs=1 seek=$((offset + 500)) conv=notrunc 2>dd-err
    expect_exit 4 "$AIMG" dups each.aimg
    expect_contains err 'image 3 is damaged'
    printf '%s\n' 1.pgm again/b.pgm '' 3.pgm again/c.pgm >wanted
    expect_same wanted out
    expect_exit 0 "$AIMG" dups --fast each.aimg
    expect_lines out 6
    expect_exit 3 "$AIMG" dups missing.aimg
    expect_exit 2 "$AIMG" dups
    expect_exit 2 "$AIMG" dups --slow each.aimg
    if [ -w /dev/full ]; then
        "$AIMG" dups many.aimg >/dev/full 2>err
        expect_equal $? 3
        expect_contains err 'No space left'
    fi
}

test_usage() {
    expect_exit 2 "$AIMG" pack --dedup session --no-dedup x.aimg in
    expect_contains err 'only one of --dedup and --no-dedup can be given'
    expect_exit 2 "$AIMG" add --dedup=some once.aimg in
    expect_contains err "--dedup is session or all, not 'some'"
    expect_exit 2 "$AIMG" pack --dedup x.aimg in
    expect_contains err "--dedup is session or all, not 'x.aimg'"
    for where in session all; do
        expect_exit 0 env SOURCE_DATE_EPOCH=1 "$AIMG" pack --dedup $where spaced-$where.aimg in
        expect_exit 0 env SOURCE_DATE_EPOCH=1 "$AIMG" pack --dedup=$where joined-$where.aimg in
        expect_same spaced-$where.aimg joined-$where.aimg
    done
    expect_false '--dedup all keeps no index' cmp spaced-session.aimg spaced-all.aimg
    expect_exit 2 "$AIMG" pack --no-dedup=all x.aimg in
    expect_absent x.aimg x.aimg.part
}

# Files over 16 MiB are mapped; one that loses bytes while it is compared is no reason to die without a word.
test_large() {
    mkdir -p large
    { printf 'P5\n5000 4000\n255\n'; head -c 20000000 /dev/urandom; } >large/1.pgm
    cp large/1.pgm large/2.pgm
    cp large/1.pgm large/3.pgm
    printf 'x' | dd of=large/3.pgm bs=1 seek=19000000 conv=notrunc 2>dd-err
    expect_exit 0 "$AIMG" pack --compress store large.aimg large
    expect_contains err '; 1 duplicate stored once, 20.0 MB saved'
    expect_whole large.aimg large
    expect_exit 0 "$AIMG" dups large.aimg
    expect_lines out 2
    rm large/3.pgm
    expect_shim 3 AT_READ='truncate -s 1000 large/2.pgm' \
        "$AIMG" pack --force --compress store --threads 1 large.aimg large
    expect_contains err 'large/2.pgm: changed while it was being stored; nothing since the last commit is kept, try again'
    expect_exit 0 "$AIMG" verify large.aimg
}

test_pack
test_add
test_dups
test_damage
test_usage
test_large
finish
