#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mv: another name, the same bytes and values, at the end of the list.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"

for i in 1 2 3; do make_picture "photos/cat/$i.pgm" "$((10 + i))" 3 "cat$i"; done
make_picture photos/@1 5 8 at
expect_exit 0 env SOURCE_DATE_EPOCH=1600000000 "$AIMG" pack base.aimg photos
fresh() { cp base.aimg a.aimg; }
unchanged() { expect_same a.aimg base.aimg; }
describe() { "$AIMG" info --json a.aimg "$1" >"$2" && "$python" - "$2" <<'PY'; }
import json, sys
o = json.load(open(sys.argv[1]))
for key in 'name', 'position', 'ordinal', 'alias':
    o.pop(key, None)
json.dump(o, open(sys.argv[1], 'w'), indent=1, sort_keys=True)
PY

fresh
describe cat/1.pgm old
expect_exit 0 "$AIMG" mv a.aimg cat/1.pgm dog/nine.pgm
expect_lines out 0
expect_equal "$(cat err)" "aimg: renamed 'cat/1.pgm' to 'dog/nine.pgm'"
expect_names a.aimg @1 cat/2.pgm cat/3.pgm dog/nine.pgm
expect_bytes a.aimg dog/nine.pgm photos/cat/1.pgm
expect_exit 1 "$AIMG" cat a.aimg cat/1.pgm
describe dog/nine.pgm new
expect_same old new # sizes, checksum, place in the file, every column
expect_exit 0 "$AIMG" verify a.aimg
expect_exit 0 "$AIMG" unpack a.aimg -C out.d
expect_same out.d/dog/nine.pgm photos/cat/1.pgm
expect_absent out.d/cat/1.pgm
expect_exit 0 "$AIMG" ls --at 0 a.aimg
expect_contains out cat/1.pgm

# again and back, by position too
expect_exit 0 "$AIMG" mv a.aimg @3 x
expect_exit 0 "$AIMG" mv a.aimg x cat/1.pgm
expect_names a.aimg @1 cat/2.pgm cat/3.pgm cat/1.pgm
expect_exit 0 "$AIMG" log --json a.aimg
expect_equal "$(json out '[(c["added"], c["removed"]) for c in o["commits"]]')" '[(1, 1), (1, 1), (1, 1), (4, 0)]'
expect_exit 0 "$AIMG" diff --from 0 a.aimg
expect_lines out 0
expect_exit 0 "$AIMG" mv --name a.aimg @1 @0
expect_exit 0 "$AIMG" mv a.aimg -- cat/3.pgm -f
expect_names a.aimg cat/2.pgm cat/1.pgm @0 -f
expect_exit 0 "$AIMG" verify a.aimg

# onto a name that is there
fresh
expect_exit 1 "$AIMG" mv a.aimg cat/1.pgm cat/2.pgm
expect_contains err "there is an image 'cat/2.pgm' already"
expect_exit 1 "$AIMG" mv a.aimg cat/1.pgm cat/1.pgm
expect_contains err 'already'
expect_exit 1 "$AIMG" mv --force a.aimg cat/1.pgm cat/1.pgm
unchanged
expect_exit 0 "$AIMG" mv --force a.aimg cat/1.pgm cat/2.pgm
expect_names a.aimg @1 cat/3.pgm cat/2.pgm
expect_bytes a.aimg cat/2.pgm photos/cat/1.pgm
expect_exit 0 "$AIMG" log a.aimg
expect_contains out '+1           -2'
expect_exit 0 "$AIMG" verify a.aimg

# with it go the attachments that only it has
fresh
make_picture mask.pgm 3 3 mask
make_picture shared.pgm 3 3 shared
make_picture nested.pgm 3 3 nested
expect_exit 0 "$AIMG" attach a.aimg cat/2.pgm mask mask.pgm cat/2.pgm shared shared.pgm cat/2.pgm:mask nested nested.pgm
printf 'name,shared\ncat/1.pgm,cat/2.pgm:shared\n' >shared.csv
expect_exit 0 "$AIMG" set a.aimg shared.csv
cp a.aimg before.aimg
expect_exit 1 "$AIMG" mv --force a.aimg cat/2.pgm:mask cat/2.pgm
expect_contains err "'cat/2.pgm:mask' is an attachment that only 'cat/2.pgm' has"
expect_same a.aimg before.aimg
expect_exit 0 "$AIMG" mv --force a.aimg cat/1.pgm cat/2.pgm
expect_exit 1 "$AIMG" cat a.aimg cat/2.pgm:mask
expect_exit 1 "$AIMG" cat a.aimg cat/2.pgm:mask:nested
expect_exit 0 "$AIMG" cat --column shared a.aimg cat/2.pgm
expect_same out shared.pgm
expect_exit 0 "$AIMG" info --json a.aimg
expect_equal "$(json out 'o["attachments"]')" 1
expect_exit 0 "$AIMG" verify a.aimg

# what is not there, and names that cannot be
fresh
expect_exit 1 "$AIMG" mv a.aimg cat/9.pgm x
expect_contains err "no image 'cat/9.pgm'"
expect_exit 1 "$AIMG" mv a.aimg @9 x
expect_exit 1 "$AIMG" mv a.aimg 'cat/*' x
for name in '' / a/ /a a//b . a/../b 'a\b' $'a\nb' $'\xff' "$(printf 'x%.0s' $(seq 256))"; do
    expect_exit 2 "$AIMG" mv a.aimg cat/1.pgm "$name"
done
expect_exit 3 "$AIMG" mv missing.aimg a b
printf 'not an archive, but long enough to be looked at' >text
expect_exit 4 "$AIMG" mv text a b
unchanged

# a message and a time
expect_exit 0 env SOURCE_DATE_EPOCH=1700000000 "$AIMG" mv -q --message 'it is a dog' a.aimg cat/1.pgm dog/1.pgm
expect_lines err 0
expect_exit 0 "$AIMG" log --json a.aimg
expect_equal "$(json out '(o["commits"][0]["message"], o["commits"][0]["time"])')" "('it is a dog', '2023-11-14T22:13:20Z')"

# without room nothing is renamed, and that is said
fresh
expect_no_room a.aimg mv a.aimg cat/1.pgm x
expect_contains err 'a.aimg: nothing was renamed; the archive is as it was'
unchanged

# the archive is replaced, or gone, while it is changed: what was done is lost with the old file, and that is said
for how in 'mv other.aimg a.aimg' 'rm a.aimg'; do
    fresh
    cp base.aimg other.aimg
    expect_shim 3 SYNC=2 AT_SYNC="$how" "$AIMG" mv a.aimg cat/1.pgm x
    expect_contains err 'was removed or replaced by another program'
    expect_lacks err 'renamed'
    [ -e a.aimg ] && unchanged
done

# misuse
fresh
expect_exit 2 "$AIMG" mv
expect_exit 2 "$AIMG" mv a.aimg
expect_exit 2 "$AIMG" mv a.aimg cat/2.pgm
expect_exit 2 "$AIMG" mv a.aimg cat/2.pgm b c
expect_exit 2 "$AIMG" mv -n a.aimg cat/2.pgm b

finish
