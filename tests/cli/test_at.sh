#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --at N on every verb that reads; and after some images were removed, all ways to count and to reach the others agree.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"

for i in $(seq 100 299); do make_picture "photos/set$((i % 7))/$i.pgm" "$((i % 90 + 1))" "$((i % 5 + 1))" "$i"; done
expect_exit 0 "$AIMG" pack a.aimg photos                # 0
cp -r photos state0

# ten in a hundred go, spread over the archive
"$AIMG" ls a.aimg >names
awk 'NR % 10 == 3' names >gone
expect_exit 0 "$AIMG" rm a.aimg $(cat gone)             # 1
expect_contains err 'removed 20 images'
cp -r photos state1
(cd state1 && xargs rm <../gone)
expect_exit 0 "$AIMG" mv a.aimg set0/105.pgm moved.pgm  # 2
cp -r state1 state2
mv state2/set0/105.pgm state2/moved.pgm
make_picture more/new.pgm 9 9 new
expect_exit 0 "$AIMG" add a.aimg more                   # 3
cp -r state2 state3
cp more/new.pgm state3/
expect_exit 0 "$AIMG" verify a.aimg
cp a.aimg before

# check_state N FOLDER: every verb shows exactly these, as of commit N.
check_state() {
    local at=$1 folder=$2 count=0 position=0 name
    expect_exit 0 "$AIMG" unpack --at "$at" a.aimg -C "out$at"
    expect_same "out$at" "$folder"
    expect_exit 0 "$AIMG" ls --at "$at" a.aimg
    mv out listed
    (cd "$folder" && find . -type f | sed 's|^\./||' | sort) >wanted
    sort listed >sorted
    expect_same sorted wanted
    count=$(wc -l <listed)
    expect_exit 0 "$AIMG" info --json --at "$at" a.aimg
    expect_equal "$(json out 'o["images"]')" "$count"
    expect_exit 0 "$AIMG" log --json --at "$at" a.aimg
    expect_equal "$(json out 'o["commits"][0]["seq"], o["commits"][0]["images"], len(o["commits"])')" "($at, $count, $((at + 1)))"
    # positions, columns and bytes of each image
    expect_exit 0 "$AIMG" ls --json --at "$at" a.aimg
    "$python" - "$folder" listed <<'PY' >difference
import json, os, sys
names = open(sys.argv[2]).read().split()
rows = [json.loads(line) for line in open('out')]
assert len(rows) == len(names), (len(rows), len(names))
for position, (row, name) in enumerate(zip(rows, names)):
    head = open(os.path.join(sys.argv[1], name), 'rb').read().split()
    facts = row['position'], row['name'], row['width'], row['height'], row['bytes']
    wanted = position, name, int(head[1]), int(head[2]), os.path.getsize(os.path.join(sys.argv[1], name))
    if facts != wanted or ('/' in name and not name.startswith(row['label'] + '/')):
        print(facts, wanted, row)
PY
    if [ -s difference ]; then fail "the rows as of commit $at" difference; else pass; fi
    for position in 0 1 2 17 89 $((count - 1)); do
        name=$(sed -n $((position + 1))p listed)
        expect_exit 0 "$AIMG" cat --at "$at" a.aimg "@$position"
        expect_same out "$folder/$name"
        expect_exit 0 "$AIMG" info --json --at "$at" a.aimg "$name"
        expect_equal "$(json out 'o["position"], o["name"]')" "($position, '$name')"
    done
    expect_exit 1 "$AIMG" cat --at "$at" a.aimg "@$count"
    expect_contains err "the last of its images is @$((count - 1))"
}

for at in 0 1 2 3; do check_state "$at" "state$at"; done
expect_exit 1 "$AIMG" cat --at 1 a.aimg "$(head -1 gone)"
expect_exit 0 "$AIMG" cat --at 0 a.aimg "$(head -1 gone)"
expect_exit 1 "$AIMG" ls --at 1 a.aimg $(cat gone)
expect_lines err 20

# beyond the log, and what is no number
for verb in ls info log meta verify; do
    expect_exit 1 "$AIMG" $verb --at 4 a.aimg
    expect_contains err 'there is no commit 4; its commits are 0 to 3'
    expect_lines out 0
    expect_lines err 1
    expect_exit 1 "$AIMG" $verb --at 99999999999999999999999 a.aimg
    expect_exit 1 "$AIMG" $verb --at 18446744073709551615 a.aimg
    expect_exit 1 "$AIMG" $verb --at 18446744073709551616 a.aimg
    for word in '' -1 1.0 x 0x1 ' 1' @1; do expect_exit 2 "$AIMG" $verb --at "$word" a.aimg; done
    expect_exit 2 "$AIMG" $verb a.aimg --at
    expect_exit 3 "$AIMG" $verb --at 0 missing.aimg
done
expect_exit 1 "$AIMG" cat --at 4 a.aimg @0
expect_exit 1 "$AIMG" unpack --at 4 a.aimg -C none
expect_absent none
expect_exit 1 "$AIMG" unpack --max-output 1K --at 4 a.aimg -C none
expect_contains err 'there is no commit 4'
expect_exit 1 "$AIMG" unpack --max-output 1K --at 0 a.aimg -C none
expect_contains err 'the limit is 1000'
mkdir empty
expect_exit 0 "$AIMG" pack empty.aimg empty
expect_exit 1 "$AIMG" ls --at 5 empty.aimg
expect_same a.aimg before # reading changes nothing

# what an interrupted writer left is no concern of an earlier commit
printf x >>a.aimg
expect_exit 0 "$AIMG" ls --at 1 a.aimg
expect_lines err 0
expect_lines out 180
expect_exit 0 "$AIMG" verify --at 3 a.aimg
expect_contains err 'ok, '
expect_exit 1 "$AIMG" verify a.aimg

# nor is damage to what came later
ends=$("$AIMG" log --json before | json /dev/stdin '[c["seq"] for c in o["commits"]]')
expect_equal "$ends" '[3, 2, 1, 0]'
end=$(for at in 1 2; do "$AIMG" info --json --at $at before | json /dev/stdin 'o["file_bytes"]'; done | tr '\n' ' ')
read -r end1 end2 <<<"$end"
printf '\xA5' | dd of=before bs=1 seek=$((end2 + 70)) conv=notrunc status=none # in the image of commit 3
expect_exit 0 "$AIMG" verify --at 1 before
expect_exit 1 "$AIMG" verify before
expect_exit 0 "$AIMG" diff a.aimg --at 3
expect_exit 1 "$AIMG" diff a.aimg --at 0
cp out from
expect_exit 1 "$AIMG" diff a.aimg --from 0
expect_same out from

# a file that was cut holds what it holds
head -c $((end1 + 5000)) a.aimg >cut.aimg
expect_exit 4 "$AIMG" ls cut.aimg
expect_exit 0 "$AIMG" ls --at 1 cut.aimg
expect_lines out 180
expect_contains err 'cut short'
expect_exit 0 "$AIMG" unpack -q --at 1 cut.aimg -C whole
expect_exit 0 diff -r whole state1
expect_exit 0 "$AIMG" verify --at 1 cut.aimg
expect_exit 1 "$AIMG" ls --at 2 cut.aimg
expect_contains err 'there is no commit 2; its commits are 0 to 1'

finish
