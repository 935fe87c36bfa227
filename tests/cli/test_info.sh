#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

make_picture photos/cat/1.pgm 40 30 one
make_picture photos/cat/2.pgm 50 30 two
make_picture photos/dog/1.pgm 60 30 three
make_picture more/dog/2.pgm 7 5 four
touch -d '2001-02-03 04:05:06.789 UTC' photos/cat/1.pgm
expect_exit 0 env SOURCE_DATE_EPOCH=1700000000 "$AIMG" pack --times --compress store a.aimg photos/
expect_exit 0 env SOURCE_DATE_EPOCH=1700000100 "$AIMG" add --times --compress store a.aimg more/

# the archive
expect_exit 0 "$AIMG" info --json a.aimg
expect_lines out 1
expect_lines err 0
expect_equal "$(json out 'o["path"], o["images"], o["ordinals"], o["removed"], o["attachments"], o["commits"]')" \
    "('a.aimg', 4, 4, 0, 0, 2)"
expect_equal "$(json out 'o["format_version"], o["torn_tail_bytes"]')" "('0.1', 0)"
expect_equal "$(json out 'o["created"], o["last_commit"]')" "('2023-11-14T22:13:20Z', '2023-11-14T22:15:00Z')"
expect_equal "$(json out 'o["last_commit_ns"]')" 1700000100000000000
expect_equal "$(json out 'o["file_bytes"]')" "$(stat -c %s a.aimg)"
stored=$(cat photos/cat/* photos/dog/* more/dog/* | wc -c)
expect_equal "$(json out 'o["stored_bytes"]')" "$stored"
expect_equal "$(json out 'o["overhead_bytes"]')" $(($(stat -c %s a.aimg) - stored))
expect_equal "$(json out '{c["name"]: c["type"] for c in o["columns"]}["width"]')" u32
expect_equal "$(json out '[(c["type"], c["values"]) for c in o["columns"] if c["name"] == "label"]')" "[('dictionary', 2)]"
expect_equal "$(json out 'len(o["uuid"]), len(o["root"])')" "(36, 32)"
cp out all.json
expect_exit 0 "$AIMG" info a.aimg
for text in a.aimg "$(json all.json 'o["uuid"]')" "$(json all.json 'o["root"]')" 'images        4' 'commits       2' \
    2023-11-14T22:15:00Z 'label dictionary of 2 values'; do
    expect_contains out "$text"
done
expect_lacks out 'torn'

# the root hash is that of the last commit in the log
expect_exit 0 "$AIMG" log --json a.aimg
expect_equal "$(json out 'o["commits"][0]["root"]')" "$(json all.json 'o["root"]')"

# an image, by name and by position
expect_exit 0 "$AIMG" info --json a.aimg cat/1.pgm
expect_lines out 1
bytes=$(stat -c %s photos/cat/1.pgm)
expect_equal "$(json out 'o["name"], o["position"], o["ordinal"], o["format"], o["bytes"], o["stored_bytes"], o["coding"]')" \
    "('cat/1.pgm', 0, 0, 'pnm', $bytes, $bytes, 0)"
expect_equal "$(json out 'o["xxh128"]')" "$(xxh128sum photos/cat/1.pgm | cut -d' ' -f1)"
expect_equal "$(json out 'o["columns"]["width"], o["columns"]["height"], o["columns"]["channels"], o["columns"]["label"]')" \
    "(40, 30, 1, 'cat')"
expect_equal "$(json out 'o["columns"]["mtime_ns"]')" 981173106789000000
tail -c +$(($(json out 'o["offset"]') + 1)) a.aimg | head -c "$bytes" >cut
expect_same cut photos/cat/1.pgm
expect_exit 0 "$AIMG" info a.aimg @3
expect_contains out 'dog/2.pgm'
expect_contains out 'width         7'
expect_contains out 'label         dog'
expect_contains out "$(xxh128sum more/dog/2.pgm | cut -d' ' -f1)"

# compressed: both sizes
expect_exit 0 "$AIMG" pack --compress zstd z.aimg photos/
expect_exit 0 "$AIMG" info --json z.aimg cat/1.pgm
expect_equal "$(json out 'o["bytes"], o["coding"], o["stored_bytes"] < o["bytes"]')" "($bytes, 1, True)"

# after a removal
expect_exit 0 "$AIMG" add --replace --compress store a.aimg photos/
expect_exit 0 "$AIMG" info --json a.aimg
expect_equal "$(json out 'o["images"], o["ordinals"], o["removed"], o["commits"]')" "(4, 7, 3, 3)"
expect_equal "$(json out 'o["stored_bytes"]')" "$stored"
expect_exit 0 "$AIMG" info --json a.aimg cat/1.pgm
expect_equal "$(json out 'o["position"], o["ordinal"]')" "(1, 4)"

# without images
mkdir empty
expect_exit 0 "$AIMG" pack empty.aimg empty
expect_exit 0 "$AIMG" info --json empty.aimg
expect_equal "$(json out 'o["images"]')" 0
expect_exit 0 "$AIMG" info empty.aimg

# a torn tail is warned of, and told
printf 'torn' >>a.aimg
expect_exit 0 "$AIMG" info --json a.aimg
expect_equal "$(json out 'o["torn_tail_bytes"]')" 4
expect_lines err 1
expect_contains err 'warning'
expect_exit 0 "$AIMG" info a.aimg
expect_contains out 'torn tail'
expect_exit 0 "$AIMG" info --quiet a.aimg
expect_lines err 0

# not there, and misuse
expect_exit 1 "$AIMG" info a.aimg cow.pgm
expect_lines out 0
expect_exit 1 "$AIMG" info --json a.aimg @4
expect_lines out 0
expect_exit 2 "$AIMG" info
expect_exit 2 "$AIMG" info a.aimg @0 @1
expect_exit 2 "$AIMG" info --jsonx a.aimg

finish
