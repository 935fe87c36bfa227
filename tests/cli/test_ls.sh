#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

for i in 1 2 3; do make_picture photos/cat/$i.pgm 4 3 cat$i; done
make_picture photos/dog/1.pgm 7 5 dog
make_picture photos/dog/deep/2.pgm 8 8 deep
make_picture 'photos/dog/a[b]*.pgm' 2 2 glob
make_picture photos/öl.pgm 2 2 oil
make_picture 'photos/say "hi" & ü.pgm' 300 70 quote
expect_exit 0 "$AIMG" pack a.aimg photos/
(cd photos && find . -type f | sed 's|^\./||' | LC_ALL=C sort) >names

# plain: the names, in order of position, whatever the locale
expect_exit 0 "$AIMG" ls a.aimg
expect_same out names
expect_lines err 0
expect_exit 0 env LC_ALL=C "$AIMG" ls a.aimg
expect_same out names

# globs: '*' crosses slashes, '?' is one character of any length, sets, exact names with glob characters, duplicates are harmless
expect_exit 0 "$AIMG" ls a.aimg 'cat/*'
expect_lines out 3
expect_exit 0 "$AIMG" ls a.aimg 'dog/*'
expect_contains out dog/deep/2.pgm
expect_lines out 3
expect_exit 0 "$AIMG" ls a.aimg '?l.pgm'
expect_contains out öl.pgm
expect_lines out 1
expect_exit 0 env LC_ALL=C "$AIMG" ls a.aimg '?l.pgm'
expect_lines out 1
expect_exit 0 "$AIMG" ls a.aimg 'cat/[13].pgm' 'cat/[!12].pgm'
expect_lines out 2
expect_exit 0 "$AIMG" ls a.aimg 'cat/[!]1].pgm'
expect_lines out 2
expect_exit 0 "$AIMG" ls a.aimg cat/1.pgm 'cat/1*' 'c*1.pgm'
expect_lines out 1
expect_exit 0 "$AIMG" ls a.aimg 'cat/[1-2].pgm'
expect_lines out 2
expect_exit 0 "$AIMG" ls a.aimg 'dog/a[b]*.pgm'
expect_contains out 'dog/a[b]*.pgm'
expect_lines out 1
expect_exit 0 "$AIMG" ls a.aimg 'dog/a\[b\]\*.pgm'
expect_lines out 1
expect_exit 0 "$AIMG" ls a.aimg cat/3.pgm cat/1.pgm cat/1.pgm
printf 'cat/1.pgm\ncat/3.pgm\n' >wanted
expect_same out wanted
expect_exit 0 "$AIMG" ls a.aimg '*'
expect_same out names
expect_exit 0 "$AIMG" ls a.aimg '*g/*p*/*2*m'
expect_lines out 1

# a glob that matches nothing is named, the others are answered
expect_exit 1 "$AIMG" ls a.aimg 'cow/*' cat/2.pgm 'dog'
expect_lines out 1
expect_contains err "'cow/*'"
expect_contains err "'dog'"
expect_contains err "(a folder is written 'dog/*')"
expect_lines err 2
expect_exit 1 "$AIMG" ls a.aimg 'cat/*' CAT/1.pgm
expect_lines out 3
# a star that must back off many times must not take long
make_picture "many/$(printf 'a%.0s' $(seq 200)).pgm" 2 2
expect_exit 0 "$AIMG" pack many.aimg many
expect_exit 1 timeout 5 "$AIMG" ls many.aimg '*a*a*a*a*a*a*a*a*a*a*a*a*b'

# a label of any length, and with what must not be shown as it is
label=$(printf 'x%.0s' $(seq 5000))
printf '{"name":"cat/1.pgm","label":"%s1"}\n{"name":"cat/2.pgm","label":"%s2\\n"}\n{"name":"cat/3.pgm","label":"%s1"}\n' \
    "$label" "$label" "$label" >long.jsonl
cp a.aimg long.aimg
expect_exit 0 "$AIMG" set long.aimg long.jsonl
expect_exit 0 "$AIMG" ls -l long.aimg 'cat/*'
expect_equal "$(grep -c "  ${label}1  cat/[13].pgm$" out)" 2
expect_contains out "  ${label}2\\x0A  cat/2.pgm"
expect_exit 0 "$AIMG" ls --json long.aimg cat/2.pgm
expect_equal "$(json out 'len(o["label"]), o["label"][-2:]')" "(5002, '2\\n')"

# -0
expect_exit 0 "$AIMG" ls -0 a.aimg
tr '\0' '\n' <out >lines
expect_same lines names
expect_exit 0 "$AIMG" ls --null a.aimg cat/1.pgm
printf 'cat/1.pgm\0' >wanted
expect_same out wanted

# -l: position, size, format, dimensions, label, name
expect_exit 0 "$AIMG" ls -l a.aimg
expect_lines out 8
read -r position size format dimensions label name < <(grep dog/1.pgm out)
expect_equal "$position $size $format $dimensions $label $name" "3 $(stat -c %s photos/dog/1.pgm) pnm 7x5 dog dog/1.pgm"
read -r position size format dimensions label name < <(grep öl.pgm out)
expect_equal "$position $dimensions $label $name" "7 2x2 - öl.pgm"
expect_exit 0 "$AIMG" ls a.aimg -l cat/2.pgm
expect_lines out 1
expect_exit 0 "$AIMG" pack --no-label plain.aimg photos/cat
expect_exit 0 "$AIMG" ls -l plain.aimg
read -r position size format dimensions label name <out
expect_equal "$label $name" "- 1.pgm"

# --json: one object a line; absent columns are left out
expect_exit 0 "$AIMG" ls --json a.aimg dog/1.pgm
expect_lines out 1
fields='"position", "ordinal", "name", "bytes", "format", "width", "height", "channels", "label"'
expect_equal "$(json out "tuple(o[field] for field in ($fields))")" \
    "(3, 3, 'dog/1.pgm', $(stat -c %s photos/dog/1.pgm), 'pnm', 7, 5, 1, 'dog')"
expect_equal "$(json out 'o["stored_bytes"] < o["bytes"]')" True
expect_equal "$(json out 'o["xxh128"]')" "$(xxh128sum photos/dog/1.pgm | cut -d' ' -f1)"
expect_exit 0 "$AIMG" ls --json a.aimg öl.pgm
expect_equal "$(json out '"label" in o')" False
expect_exit 0 "$AIMG" ls --json a.aimg 'say*'
expect_equal "$(json out 'o["name"], o["width"], o["height"]')" "('say \"hi\" & ü.pgm', 300, 70)"
expect_exit 0 "$AIMG" ls -l a.aimg 'say*'
expect_contains out '300x70'
expect_exit 0 "$AIMG" ls --json a.aimg
expect_lines out 8
while read -r line; do
    echo "$line" >line
    json line 'o["name"]'
done <out >lines
expect_same lines names

# thousands of labels
"${AIMG_PYTHON:-/usr/bin/python3}" -c 'import os
for i in range(2500):
    os.makedirs("labels/%d" % (i % 1250), exist_ok=True)
    open("labels/%d/%d.pgm" % (i % 1250, i), "wb").write(b"P5\n1 1\n255\n" + bytes([i % 251]))'
(cd labels && find . -type f | sort -t/ -k3n >../list)
expect_exit 0 bash -c 'cd labels && "$0" pack --files-from ../list ../labels.aimg' "$AIMG"
expect_exit 0 "$AIMG" ls --json labels.aimg
expect_equal "$("${AIMG_PYTHON:-/usr/bin/python3}" -c 'import json
rows = [json.loads(line) for line in open("out")]
print(len(rows), all(row["label"] == row["name"].split("/")[0] for row in rows))')" '2500 True'

# after removals, positions close up and ordinals stay
make_picture new/cat/1.pgm 9 9 new
expect_exit 0 "$AIMG" add --replace a.aimg new/
expect_exit 0 "$AIMG" ls --json a.aimg
expect_lines out 8
head -1 out >line
expect_equal "$(json line 'o["position"], o["ordinal"], o["name"]')" "(0, 1, 'cat/2.pgm')"
tail -1 out >line
expect_equal "$(json line 'o["position"], o["ordinal"], o["name"], o["width"]')" "(7, 8, 'cat/1.pgm', 9)"

# an archive without images, and one in which all is left out
mkdir empty
expect_exit 0 "$AIMG" pack empty.aimg empty
expect_exit 0 "$AIMG" ls empty.aimg
expect_lines out 0
expect_exit 0 "$AIMG" ls -l empty.aimg
expect_lines out 0
expect_exit 1 "$AIMG" ls empty.aimg '*'

# a reader that stops reading ends it without a storm of messages
"$AIMG" ls -l a.aimg 2>err | head -1 >out
expect_lines out 1
expect_lines err 0
expect_exit 3 bash -c '"$0" ls a.aimg >/dev/full' "$AIMG"
expect_lines err 1

# misuse
expect_exit 2 "$AIMG" ls
expect_contains err 'ARCHIVE'
expect_exit 2 "$AIMG" ls -l --json a.aimg
expect_exit 2 "$AIMG" ls -l -0 a.aimg
expect_exit 2 "$AIMG" ls --long a.aimg
expect_contains err "'--long'"
expect_contains err "aimg ls --help"
expect_exit 2 "$AIMG" ls -x a.aimg
expect_contains err "'-x'"
expect_exit 2 "$AIMG" ls --json=yes a.aimg
expect_contains err 'takes no value'

finish
