#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# rm: names, positions and globs; all or nothing; what every other verb shows afterwards.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"

for i in 1 2 3 4; do
    make_picture "photos/cat/$i.pgm" "$((10 + i))" 3 "cat$i"
    make_picture "photos/dog/$i.pgm" 7 "$((10 + i))" "dog$i"
done
make_picture 'photos/odd/a[1].pgm' 5 5 bracket
make_picture photos/odd/a1.pgm 5 6 plain
make_picture photos/odd/-n.pgm 5 7 dash
make_picture photos/@3 5 8 at
expect_exit 0 env SOURCE_DATE_EPOCH=1600000000 "$AIMG" pack --compress store base.aimg photos
fresh() { cp base.aimg a.aimg; }
unchanged() { expect_same a.aimg base.aimg; }

# a name: gone from where it was, still there at the commit before
fresh
expect_exit 0 "$AIMG" rm a.aimg cat/2.pgm
expect_lines out 0
expect_equal "$(cat err)" "aimg: removed 1 image; 'aimg compact' frees $((12 * 3 + 12)) B"
expect_exit 1 "$AIMG" cat a.aimg cat/2.pgm
expect_exit 0 "$AIMG" cat --at 0 a.aimg cat/2.pgm
expect_same out photos/cat/2.pgm
expect_exit 0 "$AIMG" ls a.aimg
expect_lines out 11
expect_exit 0 "$AIMG" verify a.aimg
expect_exit 0 "$AIMG" log a.aimg
expect_contains out '+0           -1'

# a position is that before anything is removed, and each image goes once
fresh
"$AIMG" ls a.aimg >names
expect_exit 0 "$AIMG" rm -q a.aimg @0 @1 "$(sed -n 2p names)" @11
expect_lines err 0
expect_names a.aimg $(sed -n 3,11p names)
expect_exit 0 "$AIMG" verify a.aimg

# globs, as in ls; a word that is a name means that image alone
fresh
expect_exit 0 "$AIMG" rm a.aimg 'cat/[12]*' 'd?g/4*'
expect_contains err 'removed 3 images'
expect_names a.aimg $(grep -v -e cat/1 -e cat/2 -e dog/4 names)
fresh
expect_exit 0 "$AIMG" rm a.aimg 'odd/a[1].pgm'
expect_exit 0 "$AIMG" cat a.aimg odd/a1.pgm
expect_exit 1 "$AIMG" rm --name a.aimg 'odd/*'
expect_exit 1 "$AIMG" cat --name a.aimg 'odd/a[1].pgm'
fresh
expect_exit 0 "$AIMG" rm --name a.aimg @3
expect_exit 1 "$AIMG" cat --name a.aimg @3
fresh
expect_exit 2 "$AIMG" rm a.aimg -n.pgm
unchanged
expect_exit 0 "$AIMG" rm a.aimg -- odd/-n.pgm
expect_exit 1 "$AIMG" cat a.aimg odd/-n.pgm

# all of it, and it can be filled again
fresh
expect_exit 0 "$AIMG" rm a.aimg '*'
expect_names a.aimg
expect_exit 0 "$AIMG" info --json a.aimg
expect_equal "$(json out 'o["images"]')" 0
expect_exit 0 "$AIMG" unpack a.aimg -C nothing
expect_exit 0 "$AIMG" add a.aimg photos
expect_names a.aimg $(cat names)
expect_exit 0 "$AIMG" verify a.aimg
expect_exit 0 "$AIMG" unpack a.aimg -C again
expect_same again photos

# what is not there: all of it is told, and nothing is removed
fresh
expect_exit 1 "$AIMG" rm a.aimg cat/1.pgm cat/9.pgm 'bird/*' @12
expect_contains err "no image 'cat/9.pgm'"
expect_contains err "no image matches 'bird/*'"
expect_contains err "no image @12"
expect_contains err 'nothing was removed'
unchanged
expect_exit 1 "$AIMG" rm a.aimg CAT/1.pgm
expect_contains err "did you mean 'cat/1.pgm'?"
expect_exit 1 "$AIMG" rm a.aimg cat
expect_exit 1 "$AIMG" rm a.aimg ''
expect_exit 1 "$AIMG" rm a.aimg $(seq -f 'x/%g' 1000)
expect_lines err 22
expect_exit 0 "$AIMG" rm a.aimg cat/1.pgm
expect_exit 1 "$AIMG" rm a.aimg cat/1.pgm
expect_exit 0 "$AIMG" log a.aimg
expect_lines out 2

# a word that is a folder: how that is written, in all verbs that take globs; nothing of it for others
for word in cat cat/ bird/; do
    expect_exit 1 "$AIMG" rm a.aimg $word
    expect_contains err "a.aimg: no image '$word' (a folder is written '${word%/}/*')"
    for verb in ls unpack; do
        expect_exit 1 "$AIMG" $verb a.aimg $word
        expect_contains err "no image matches '$word' (a folder is written '${word%/}/*')"
    done
done
for word in cat/9.pgm bird ca cat/1.pg 'cat?'; do
    for verb in ls unpack rm; do
        expect_exit 1 "$AIMG" $verb a.aimg "$word"
        expect_contains err "'$word'"
        expect_lacks err 'a folder is written'
    done
done
expect_exit 1 "$AIMG" rm --name a.aimg cat
expect_lacks err 'a folder is written'

# only looking
fresh
expect_exit 0 "$AIMG" rm --dry-run a.aimg 'cat/*' @8
printf '%s\n' cat/1.pgm cat/2.pgm cat/3.pgm cat/4.pgm "$(sed -n 9p names)" | sort >wanted
sort out >listed
expect_same listed wanted
expect_contains err 'would remove 5 images'
expect_exit 1 "$AIMG" rm -n a.aimg 'cat/*' nothing
expect_lines out 0
chmod -w a.aimg
expect_exit 0 "$AIMG" rm -n a.aimg '*'
chmod +w a.aimg
unchanged
expect_exit 3 bash -c '"$0" rm -n a.aimg "*" >/dev/full' "$AIMG"

# a message for the log; the same bytes for the same time
expect_exit 0 env SOURCE_DATE_EPOCH=1700000000 "$AIMG" rm --message 'blurred ones' a.aimg 'cat/*'
expect_exit 0 "$AIMG" log --json a.aimg
expect_equal "$(json out '(o["commits"][0]["message"], o["commits"][0]["time"], o["commits"][0]["removed"])')" \
    "('blurred ones', '2023-11-14T22:13:20Z', 4)"
cp base.aimg b.aimg
expect_exit 0 env SOURCE_DATE_EPOCH=1700000000 "$AIMG" rm --message 'blurred ones' b.aimg 'cat/*'
expect_same a.aimg b.aimg

# bytes that several images have come free with the last of them
fresh
expect_exit 0 "$AIMG" mv a.aimg cat/1.pgm other.pgm
expect_exit 0 "$AIMG" rm a.aimg other.pgm
expect_contains err "frees $((11 * 3 + 12)) B"
mkdir twins
for i in 1 2 3; do cp photos/dog/4.pgm twins/$i.pgm; done
expect_exit 0 "$AIMG" pack --compress store --dedup=all twins.aimg twins photos/odd
expect_exit 0 "$AIMG" rm twins.aimg 2.pgm
expect_contains err 'frees 0 B'
expect_exit 0 "$AIMG" rm -n twins.aimg 1.pgm 3.pgm
expect_contains err "frees $((7 * 14 + 12)) B"
expect_exit 0 "$AIMG" rm twins.aimg 1.pgm # the others are aliases of it
expect_contains err 'frees 0 B'
expect_exit 0 "$AIMG" cat twins.aimg 3.pgm
expect_same out photos/dog/4.pgm
expect_exit 0 "$AIMG" rm twins.aimg 3.pgm
expect_contains err "frees $((7 * 14 + 12)) B"
expect_exit 0 "$AIMG" verify twins.aimg

# attachments go with the last image that has them
"$MAKE_ATTACHED" t.aimg || fail 'make_attached'
expect_exit 0 "$AIMG" rm --dry-run t.aimg a b d
expect_equal "$(sort out | tr '\n' ' ')" 'a b d of a of d '
expect_contains err 'would remove 3 images and 3 attachments'
expect_exit 0 "$AIMG" rm t.aimg a
expect_contains err "removed 1 image and 1 attachment; 'aimg compact' frees 16 B"
expect_exit 0 "$AIMG" rm t.aimg b
expect_contains err "removed 1 image; 'aimg compact' frees 7 B"
expect_exit 0 "$AIMG" info --json t.aimg
expect_equal "$(json out 'o["images"], o["attachments"]')" '(3, 3)'
expect_exit 0 "$AIMG" rm t.aimg c d
expect_contains err 'removed 2 images and 3 attachments'
expect_exit 0 "$AIMG" info --json t.aimg
expect_equal "$(json out 'o["images"], o["attachments"], o["removed"]')" '(1, 0, 8)'
expect_exit 0 "$AIMG" verify t.aimg
"$MAKE_ATTACHED" u.aimg || fail 'make_attached'
expect_exit 0 "$AIMG" rm u.aimg 'of both' # by its name: what refers to it stays
expect_contains err 'removed 1 image;'
expect_exit 0 "$AIMG" rm u.aimg b c
expect_contains err 'removed 2 images;'
expect_exit 0 "$AIMG" verify u.aimg

# where writing is not possible
fresh
hold_lock a.aimg
expect_exit 3 "$AIMG" rm a.aimg cat/1.pgm
expect_contains err 'another writer has'
kill $holder
wait $holder 2>/dev/null
unchanged
expect_exit 3 "$AIMG" rm missing.aimg x
expect_contains err 'missing.aimg'
printf 'not an archive, but long enough to be looked at' >text
expect_exit 4 "$AIMG" rm text x
: >empty
expect_exit 4 "$AIMG" rm empty x

# without room nothing is removed, and that is said
fresh
expect_no_room a.aimg rm a.aimg cat/1.pgm
expect_contains err 'a.aimg: nothing was removed; the archive is as it was'
unchanged

# the archive is replaced, or gone, while it is changed: what was done is lost with the old file, and that is said
for how in 'mv other.aimg a.aimg' 'rm a.aimg'; do
    fresh
    cp base.aimg other.aimg
    expect_shim 3 SYNC=2 AT_SYNC="$how" "$AIMG" rm a.aimg cat/1.pgm
    expect_contains err 'was removed or replaced by another program'
    expect_lacks err 'removed 1'
    [ -e a.aimg ] && unchanged
done

# it is replaced before anything is done: then the new one is changed
fresh
cp base.aimg other.aimg
expect_exit 0 "$AIMG" add other.aimg twins
expect_shim 0 AT_SYNC='mv other.aimg a.aimg' "$AIMG" rm a.aimg 2.pgm
expect_names a.aimg $(cat names) 1.pgm 3.pgm
expect_shim 3 AT_SYNC='rm a.aimg' "$AIMG" rm a.aimg 1.pgm
expect_contains err 'is not there'

# misuse
fresh
expect_exit 2 "$AIMG" rm
expect_exit 2 "$AIMG" rm a.aimg
expect_exit 2 "$AIMG" rm -x a.aimg y
expect_exit 2 "$AIMG" rm --message a.aimg
expect_exit 2 "$AIMG" rm --message "$(printf 'x%.0s' $(seq 255))" a.aimg cat/1.pgm
expect_exit 2 env SOURCE_DATE_EPOCH=soon "$AIMG" rm a.aimg cat/1.pgm
unchanged

finish
