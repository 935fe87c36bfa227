#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 at every call of pack, add and compact that changes a file or makes it durable, also in the midst of a write; then
# what a user would do next.
. "$(dirname "$0")/../cli/lib.sh"
: "${KILL_SHIM:?set it to the path of kill_shim.so}"
export ASAN_OPTIONS=verify_asan_link_order=0 # or it does not start when another library comes first

for i in 1 2 3; do
    make_picture "src/cats/$i.pgm" 20 "$((10 * i))"
    make_picture "src/dogs/$i.pgm" 30 "$((10 * i))"
done
make_picture src/large.pgm 400 300 # goes to the file on its own
make_picture more/cats/4.pgm 25 25
make_picture more/birds/1.pgm 500 200
make_picture more/birds/2.pgm 9 9
mkdir both && cp -r src/. more/. both/

# killed N HALF COMMAND...: runs it with the shim. Status 137 when it was killed.
killed() {
    local at=$1 half=$2
    shift 2
    run env LD_PRELOAD="$KILL_SHIM" KILL_AT="$at" KILL_HALF="$half" "$@" 2>/dev/null # where the shell says that it was killed
}

# How many calls a command makes that could be the last.
calls_of() {
    run env LD_PRELOAD="$KILL_SHIM" KILL_COUNT="$scratch/calls" "$@"
    expect_equal "$status" 0
    cat calls
}

# check_unpacks ARCHIVE FOLDER: what is in it is what is in the folder.
check_unpacks() {
    rm -rf out.d
    expect_exit 0 "$AIMG" unpack --quiet "$1" -C out.d
    expect_same out.d "$2"
}

# A pack that was killed leaves nothing, or ARCHIVE.part from which it goes on, or the whole archive.
after_pack() {
    if [ -e a.aimg ]; then
        expect_exit 0 "$AIMG" verify --quiet a.aimg
        expect_false 'the unfinished file stays beside the whole one' [ -e a.aimg.part ]
    elif [ -e a.aimg.part ]; then
        expect_exit 1 "$AIMG" pack --quiet a.aimg src # says that it is there
        expect_contains err '--resume'
        run "$AIMG" pack --quiet --resume a.aimg src
        if [ "$status" = 4 ]; then # not even its head was whole
            expect_contains err '--force'
            run "$AIMG" pack --quiet --force a.aimg src
            without_head=$((without_head + 1))
        fi
        expect_equal "$status" 0
    else
        expect_exit 0 "$AIMG" pack --quiet a.aimg src
    fi
    expect_exit 0 "$AIMG" verify --quiet a.aimg
    check_unpacks a.aimg src
}

# An add that was killed leaves what was there, or all; a torn tail is told, and only verify minds. It also minds half a hint,
# which the next add repairs.
after_add() {
    expect_exit 0 "$AIMG" ls a.aimg
    sort out >listed
    mv err said
    if [ "$(wc -l <listed)" = "$(wc -l <before)" ]; then expect_same listed before; else expect_same listed after; fi
    run "$AIMG" verify --quiet a.aimg
    if [ "$status" = 1 ] && grep -q 'rule 34' out; then
        torn=$((torn + 1))
        expect_contains said 'interrupted writer'
    elif [ "$status" = 1 ]; then
        half_hints=$((half_hints + 1))
        expect_contains out 'rule 9'
        expect_lines out 1
    else
        expect_equal "$status" 0
        expect_lines said 0
    fi
    expect_exit 0 "$AIMG" add --quiet --skip-existing a.aimg more
    expect_exit 0 "$AIMG" verify --quiet a.aimg
    check_unpacks a.aimg both
}

count=$(calls_of "$AIMG" pack --quiet a.aimg src)
expect_true "pack makes few calls that change files: $count" [ "$count" -ge 8 ]
expect_exit 0 "$AIMG" ls a.aimg
sort out >before
cp a.aimg base.aimg
without_head=0
for half in 0 1; do
    for n in $(seq 1 "$count"); do
        rm -f a.aimg a.aimg.part
        killed "$n" "$half" "$AIMG" pack --quiet a.aimg src
        expect_equal "$status" 137
        after_pack
    done
done
expect_equal "$without_head" 2 # an empty file, and half of the head

cp base.aimg a.aimg
count=$(calls_of "$AIMG" add --quiet a.aimg more)
expect_true "add makes few calls that change files: $count" [ "$count" -ge 6 ]
expect_exit 0 "$AIMG" ls a.aimg
sort out >after
torn=0
half_hints=0
for half in 0 1; do
    for n in $(seq 1 "$count"); do
        cp base.aimg a.aimg
        killed "$n" "$half" "$AIMG" add --quiet a.aimg more
        expect_equal "$status" 137
        after_add
    done
done
expect_true "only $torn of these left a torn tail" [ "$torn" -ge 4 ]
expect_equal "$half_hints" 1

# A compact that was killed leaves the old archive or the new one, whole, and nothing that stops the next.
after_compact() {
    local left=0
    if cmp -s a.aimg worn.aimg; then
        kept_old=$((kept_old + 1))
        [ -e a.aimg.compact ] && left=1
    else
        expect_false 'the unfinished file stays beside the new one' [ -e a.aimg.compact ]
    fi
    expect_exit 0 "$AIMG" verify --quiet a.aimg
    check_unpacks a.aimg both
    run "$AIMG" compact --quiet a.aimg
    if [ "$status" = 1 ]; then # it was whole already: nobody throws that away unasked
        expect_equal "$left" 1
        expect_contains err 'is in the way'
        in_the_way=$((in_the_way + 1))
        run "$AIMG" compact --quiet --force a.aimg
    fi
    expect_equal "$status" 0
    expect_false 'the unfinished file is gone' [ -e a.aimg.compact ]
    expect_exit 0 "$AIMG" verify --quiet a.aimg
    check_unpacks a.aimg both
}

for i in 1 2; do make_picture "changed/cats/$i.pgm" 21 "$((11 * i))" other; done
cp -r changed/. both/
cp base.aimg worn.aimg
expect_exit 0 "$AIMG" add --quiet --skip-existing worn.aimg more
expect_exit 0 "$AIMG" add --quiet --replace worn.aimg changed
cp worn.aimg a.aimg
count=$(calls_of "$AIMG" compact --quiet a.aimg)
expect_true "compact makes few calls that change files: $count" [ "$count" -ge 8 ]
kept_old=0
in_the_way=0
for half in 0 1; do
    for n in $(seq 1 "$count"); do
        rm -f a.aimg.compact
        cp worn.aimg a.aimg
        killed "$n" "$half" "$AIMG" compact --quiet a.aimg
        expect_equal "$status" 137
        after_compact
    done
done
expect_true "the old archive was kept until the end: $kept_old of $((2 * count))" [ "$kept_old" -ge $((2 * count - 8)) ]
expect_true "$in_the_way times something whole was left" [ "$in_the_way" -ge 1 ]

# Killed again and again while the next add cuts off and writes anew.
cp base.aimg a.aimg
rm -rf both && mkdir both && cp -r src/. more/. both/
for n in 3 5 4 2 6 1 3; do
    killed "$n" 1 "$AIMG" add --quiet --skip-existing a.aimg more
done
after_add
finish
