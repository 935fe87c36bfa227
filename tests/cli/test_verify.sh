#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

for i in $(seq 20); do make_picture "photos/cat/$i.pgm" $((i * 7)) 20 "cat$i"; done
make_picture more/dog/1.pgm 50 50 dog
expect_exit 0 "$AIMG" pack a.aimg photos/
expect_exit 0 "$AIMG" add a.aimg more/
bytes=$(stat -c %s a.aimg)

# sound: nothing on standard output, one line on standard error
for option in '' --quick '--threads 1' '--threads 5'; do
    # shellcheck disable=SC2086
    expect_exit 0 "$AIMG" verify $option a.aimg
    expect_lines out 0
    expect_lines err 1
    expect_contains err 'a.aimg: ok, 21 images, 2 commits'
done
expect_exit 0 "$AIMG" verify --quiet a.aimg
expect_lines err 0
expect_exit 0 "$AIMG" verify --json a.aimg
expect_lines out 1
fields='"path", "ok", "images", "commits", "faults", "warnings", "torn_tail_bytes", "findings"'
expect_equal "$(json out "tuple(o[field] for field in ($fields))")" \
    "('a.aimg', True, 21, 2, 0, 0, 0, [])"
expect_equal "$(json out 'o["bytes"]')" "$bytes"
expect_exit 0 "$AIMG" pack --compress zstd z.aimg photos/
expect_exit 0 "$AIMG" verify z.aimg
mkdir empty
expect_exit 0 "$AIMG" pack empty.aimg empty
expect_exit 0 "$AIMG" verify empty.aimg
for there in 0 5000; do # of a file that is shorter than the head of an archive, no more is said to be checked than there is
    head -c $there a.aimg >short.aimg
    expect_exit 4 "$AIMG" verify --json short.aimg
    expect_equal "$(json out 'o["bytes"]')" $there
done

# damaged bytes of an image: rule, offset, name; --quick does not look at them
"$AIMG" info --json a.aimg cat/7.pgm >info
offset=$(json info 'o["offset"]')
cp a.aimg damaged.aimg
printf '#' | dd of=damaged.aimg bs=1 seek=$((offset + 9)) conv=notrunc 2>/dev/null
expect_exit 1 "$AIMG" verify damaged.aimg
image="image 'cat/7.pgm' \(ordinal $(json info 'o["ordinal"]')\)"
expect_true 'a finding that names rule, offset and image' \
    grep -qE "^damaged.aimg: rule [0-9]+ at offset [0-9]+: $image: " out
expect_contains err 'damaged'
expect_exit 1 "$AIMG" verify --quiet damaged.aimg
expect_true 'findings are data, --quiet or not' test -s out
expect_exit 0 "$AIMG" verify --quick damaged.aimg
expect_exit 1 "$AIMG" verify --json damaged.aimg
expect_equal "$(json out 'o["ok"], o["faults"] == len(o["findings"]) > 0')" '(False, True)'
expect_equal "$(json out '{f["name"] for f in o["findings"]}')" "{'cat/7.pgm'}"
expect_equal "$(json out 'all(f["rule"] > 0 and f["offset"] > 0 and not f["warning"] for f in o["findings"])')" True

# every byte counts: a flip anywhere is found
python=${AIMG_PYTHON:-/usr/bin/python3}
flip() { "$python" -c 'import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[int(sys.argv[2])] ^= 1 << int(sys.argv[3])
open(sys.argv[4], "wb").write(data)' "$@"; }
step=$((bytes / 60))
for i in $(seq 60); do
    flip a.aimg $((i * step - 7)) $((i % 8)) flipped.aimg
    run "$AIMG" verify flipped.aimg
    case $status in
    1 | 4) pass ;;
    *) fail "a flipped bit at $((i * step - 7)): exit $status" out err ;;
    esac
done
# in the index: --quick finds it too
root_offset=$((bytes - 4096 - 40))
flip a.aimg $root_offset 3 flipped.aimg
run "$AIMG" verify --quick flipped.aimg
expect_true 'damage in the index' test "$status" = 1 -o "$status" = 4

# a torn tail
cp a.aimg torn.aimg
printf 'torn tail' >>torn.aimg
expect_exit 1 "$AIMG" verify torn.aimg
expect_contains out 'rule 34'
expect_exit 1 "$AIMG" verify --json torn.aimg
expect_equal "$(json out 'o["torn_tail_bytes"], [f["rule"] for f in o["findings"]]')" '(9, [34])'
make_picture again/x.pgm 3 3
expect_exit 0 "$AIMG" add torn.aimg again
expect_exit 0 "$AIMG" verify torn.aimg

# several: each is checked, the highest exit status counts
echo text >text
expect_exit 0 "$AIMG" verify a.aimg z.aimg
expect_lines err 2
expect_exit 1 "$AIMG" verify a.aimg damaged.aimg z.aimg
expect_contains err 'z.aimg: ok'
expect_exit 3 "$AIMG" verify a.aimg missing.aimg damaged.aimg
expect_contains err 'missing.aimg'
expect_exit 4 "$AIMG" verify missing.aimg text damaged.aimg a.aimg
expect_exit 4 "$AIMG" verify --json missing.aimg text damaged.aimg a.aimg
expect_lines out 1
expect_equal "$(json out 'o["ok"], [(a["path"], a["ok"]) for a in o["archives"]]')" \
    "(False, [('missing.aimg', False), ('text', False), ('damaged.aimg', False), ('a.aimg', True)])"
expect_exit 0 "$AIMG" verify --json a.aimg z.aimg
expect_equal "$(json out 'o["ok"]')" True
expect_exit 3 "$AIMG" verify --json missing.aimg
expect_equal "$(json out 'o["ok"], len(o["error"]) > 0')" '(False, True)'

# misuse
expect_exit 2 "$AIMG" verify
expect_exit 2 "$AIMG" verify --threads many a.aimg
expect_exit 2 "$AIMG" verify --threads 0 a.aimg
expect_exit 2 "$AIMG" verify --fast a.aimg
expect_exit 3 bash -c '"$0" verify damaged.aimg >/dev/full' "$AIMG"

finish
