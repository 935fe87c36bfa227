#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --at N on every verb that reads; and after some images were removed, all ways to count and to reach the others agree.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"

for i in $(seq 100 299); do make_picture "photos/set$((i % 7))/$i.pgm" "$((i % 90 + 1))" "$((i % 5 + 1))" "$i"; done
expect_exit 0 "$AIMG" pack a.aimg photos                # 0
cp -r photos state0

# values that follow from the number in a name: some null, some lists empty
cat >values.py <<'PY'
import re
def values_of(name):
    if name == 'new.pgm':
        return None, None
    number = 105 if name == 'moved.pgm' else int(re.search(r'(\d+)\.pgm$', name)[1])
    score = None if number % 3 == 0 else number / 4
    return score, (None, [], [number], [number, number % 7])[number % 4]
PY
"$AIMG" ls a.aimg | PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=. "$python" -c 'import json, sys, values
for name in sys.stdin.read().split():
    score, tags = values.values_of(name)
    print(json.dumps({"name": name, "score:f32": score, "tags:list<u16>": tags}))' >values.jsonl
expect_exit 0 "$AIMG" set a.aimg values.jsonl           # 1
cp -r photos state1

# ten in a hundred go, spread over the archive
"$AIMG" ls a.aimg >names
awk 'NR % 10 == 3' names >gone
expect_exit 0 "$AIMG" rm a.aimg $(cat gone)             # 2
expect_contains err 'removed 20 images'
cp -r photos state2
(cd state2 && xargs rm <../gone)
expect_exit 0 "$AIMG" mv a.aimg set0/105.pgm moved.pgm  # 3
cp -r state2 state3
mv state3/set0/105.pgm state3/moved.pgm
make_picture more/new.pgm 9 9 new
expect_exit 0 "$AIMG" add a.aimg more                   # 4
cp -r state3 state4
cp more/new.pgm state4/
expect_exit 0 "$AIMG" verify a.aimg
cp a.aimg before

# check_values N: the columns that were set, as of commit N, of the images that are listed, by each verb that shows columns.
check_values() {
    local at=$1 name
    expect_exit 0 "$AIMG" get --jsonl --at "$at" a.aimg score tags
    mv out got
    expect_exit 0 "$AIMG" ls --columns score,tags --at "$at" a.aimg
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=. "$python" - <<'PY' >difference
import json, values
names = open('listed').read().split()
got = [json.loads(line) for line in open('got')]
shown = [line.rstrip('\n').split('\t') for line in open('out')]
text = lambda value: '' if value is None else json.dumps(value, separators=(',', ':'))
if (len(got), len(shown)) != (len(names), len(names)):
    print(len(got), len(shown), len(names))
for name, row, line in zip(names, got, shown):
    score, tags = values.values_of(name)
    if row != {'name': name, 'score': score, 'tags': tags} or line != [name, text(score), text(tags)]:
        print(row, line, name, score, tags)
PY
    if [ -s difference ]; then fail "the columns as of commit $at" difference; else pass; fi
    for name in $(sed -n '1p;2p;3p;90p;$p' listed); do
        expect_exit 0 "$AIMG" info --json --at "$at" a.aimg "$name"
        expect_equal "$(json out 'o["columns"]["score"], o["columns"]["tags"]')" \
            "$("$python" -c 'import json, sys
print(*[(row["score"], row["tags"]) for row in map(json.loads, open("got")) if row["name"] == sys.argv[1]])' "$name")"
    done
}

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
    [ "$at" = 0 ] || check_values "$at"
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

for at in 0 1 2 3 4; do check_state "$at" "state$at"; done
expect_exit 1 "$AIMG" get --at 0 a.aimg score
expect_exit 1 "$AIMG" cat --at 2 a.aimg "$(head -1 gone)"
expect_exit 0 "$AIMG" cat --at 1 a.aimg "$(head -1 gone)"
expect_exit 1 "$AIMG" ls --at 2 a.aimg $(cat gone)
expect_lines err 20
expect_exit 1 "$AIMG" get --at 2 a.aimg score $(cat gone)
expect_lines out 0

# beyond the log, and what is no number
for verb in ls info log meta verify; do
    expect_exit 1 "$AIMG" $verb --at 5 a.aimg
    expect_contains err 'there is no commit 5; its commits are 0 to 4'
    expect_lines out 0
    expect_lines err 1
    expect_exit 1 "$AIMG" $verb --at 99999999999999999999999 a.aimg
    expect_exit 1 "$AIMG" $verb --at 18446744073709551615 a.aimg
    expect_exit 1 "$AIMG" $verb --at 18446744073709551616 a.aimg
    for word in '' -1 1.0 x 0x1 ' 1' @1; do expect_exit 2 "$AIMG" $verb --at "$word" a.aimg; done
    expect_exit 2 "$AIMG" $verb a.aimg --at
    expect_exit 3 "$AIMG" $verb --at 0 missing.aimg
done
expect_exit 1 "$AIMG" cat --at 5 a.aimg @0
expect_exit 1 "$AIMG" get --at 5 a.aimg score
expect_exit 1 "$AIMG" unpack --at 5 a.aimg -C none
expect_absent none
expect_exit 1 "$AIMG" unpack --max-output 1K --at 5 a.aimg -C none
expect_contains err 'there is no commit 5'
expect_exit 1 "$AIMG" unpack --max-output 1K --at 0 a.aimg -C none
expect_contains err 'the limit is 1000'
mkdir empty
expect_exit 0 "$AIMG" pack empty.aimg empty
expect_exit 1 "$AIMG" ls --at 5 empty.aimg
expect_same a.aimg before # reading changes nothing

# what an interrupted writer left is no concern of an earlier commit
printf x >>a.aimg
expect_exit 0 "$AIMG" ls --at 2 a.aimg
expect_lines err 0
expect_lines out 180
expect_exit 0 "$AIMG" verify --at 4 a.aimg
expect_contains err 'ok, '
expect_exit 1 "$AIMG" verify a.aimg

# nor is damage to what came later
ends=$("$AIMG" log --json before | json /dev/stdin '[c["seq"] for c in o["commits"]]')
expect_equal "$ends" '[4, 3, 2, 1, 0]'
end=$(for at in 2 3; do "$AIMG" info --json --at $at before | json /dev/stdin 'o["file_bytes"]'; done | tr '\n' ' ')
read -r end2 end3 <<<"$end"
printf '\xA5' | dd of=before bs=1 seek=$((end3 + 70)) conv=notrunc status=none # in the image of commit 4
expect_exit 0 "$AIMG" verify --at 2 before
expect_exit 1 "$AIMG" verify before
expect_exit 0 "$AIMG" diff a.aimg --at 4
expect_exit 1 "$AIMG" diff a.aimg --at 0
cp out from
expect_exit 1 "$AIMG" diff a.aimg --from 0
expect_same out from

# a file that was cut holds what it holds
head -c $((end2 + 5000)) a.aimg >cut.aimg
expect_exit 4 "$AIMG" ls cut.aimg
expect_exit 0 "$AIMG" ls --at 2 cut.aimg
expect_lines out 180
expect_contains err 'cut short'
expect_exit 0 "$AIMG" unpack -q --at 2 cut.aimg -C whole
expect_exit 0 diff -r whole state2
expect_exit 0 "$AIMG" verify --at 2 cut.aimg
expect_exit 1 "$AIMG" ls --at 3 cut.aimg
expect_contains err 'there is no commit 3; its commits are 0 to 2'

finish
