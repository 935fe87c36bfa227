#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Attachments: stored, reached through their owner, not listed.
. "$(dirname "$0")/lib.sh"

for i in 1 2 3; do make_picture photos/cat/$i.pgm 4 3 cat$i; done
for i in 1 2; do make_picture mask$i.pgm 3 3 mask$i; done
expect_exit 0 "$AIMG" pack a.aimg photos/
cp a.aimg fresh.aimg

# images ARCHIVE: images, ordinals, removed, attachments
images() {
    "$AIMG" info --json "$1" >info.json
    json info.json '(o["images"], o["ordinals"], o["removed"], o["attachments"], o["commits"])'
}

# many owners, one commit
expect_exit 0 "$AIMG" attach a.aimg cat/1.pgm mask mask1.pgm cat/2.pgm mask mask2.pgm --message masks
expect_contains err 'attached 2 files'
expect_equal "$(images a.aimg)" '(3, 5, 0, 2, 2)'
expect_exit 0 "$AIMG" log a.aimg
expect_contains out masks
expect_exit 0 "$AIMG" cat --column mask a.aimg cat/1.pgm
expect_same out mask1.pgm
expect_exit 0 "$AIMG" cat --column mask a.aimg @0 cat/2.pgm
cat mask1.pgm mask2.pgm >wanted
cp wanted wanted-masks
expect_same out wanted
expect_exit 0 "$AIMG" cat a.aimg cat/2.pgm:mask
expect_same out mask2.pgm
expect_exit 0 "$AIMG" get --types a.aimg mask
printf 'name,mask:image\ncat/1.pgm,cat/1.pgm:mask\ncat/2.pgm,cat/2.pgm:mask\ncat/3.pgm,\n' >wanted
expect_same out wanted
cp out masks.csv
expect_exit 0 "$AIMG" info --json a.aimg cat/1.pgm
expect_equal "$(json out 'o["columns"]["mask"], o["attachment"]')" "('cat/1.pgm:mask', False)"
expect_exit 0 "$AIMG" info --json a.aimg cat/1.pgm:mask
expect_equal "$(json out 'o["attachment"], "position" in o, o["format"]')" "(True, False, 'pnm')"

# an image by its position, unless the word is said to be a name; its attachment is called after the image
cp fresh.aimg at.aimg
expect_exit 0 "$AIMG" attach at.aimg @1 mask mask1.pgm cat/3.pgm mask mask2.pgm
expect_exit 0 "$AIMG" cat at.aimg cat/2.pgm:mask cat/3.pgm:mask
expect_same out wanted-masks
expect_exit 0 "$AIMG" cat --column mask at.aimg cat/2.pgm
expect_same out mask1.pgm
expect_exit 0 "$AIMG" attach at.aimg @1 mask mask2.pgm # it is replaced
expect_exit 0 "$AIMG" cat --column mask at.aimg @1
expect_same out mask2.pgm
cp at.aimg before.aimg
expect_exit 1 "$AIMG" attach at.aimg @3 mask mask1.pgm
expect_contains err 'no image @3: the last of its images is @2'
expect_exit 1 "$AIMG" attach --name at.aimg @1 mask mask1.pgm
expect_contains err "no image '@1'"
printf 'name,mask\n@1,mask1.pgm\n' >position.csv
expect_exit 1 "$AIMG" attach at.aimg --from position.csv
expect_contains err "no image '@1'"
expect_same at.aimg before.aimg
make_picture named/@1 3 3 at
expect_exit 0 "$AIMG" add -q at.aimg named
expect_exit 0 "$AIMG" attach --name at.aimg @1 mask mask1.pgm
expect_exit 0 "$AIMG" cat at.aimg @1:mask
expect_same out mask1.pgm
expect_exit 0 "$AIMG" attach at.aimg --from position.csv
expect_exit 0 "$AIMG" verify at.aimg

# they are not listed and not unpacked
expect_exit 0 "$AIMG" ls a.aimg
expect_lines out 3
expect_exit 1 "$AIMG" cat a.aimg @3
expect_exit 0 "$AIMG" unpack a.aimg -C copy
expect_same photos copy
expect_exit 0 "$AIMG" verify a.aimg

# one for several images, by its name
printf 'name,mask\ncat/3.pgm,cat/1.pgm:mask\n' >more.csv
expect_exit 0 "$AIMG" set a.aimg more.csv
expect_exit 0 "$AIMG" cat --column mask a.aimg cat/3.pgm
expect_same out mask1.pgm
expect_exit 0 "$AIMG" attach a.aimg cat/1.pgm thumb mask2.pgm --as thumbs/common
expect_exit 0 "$AIMG" cat a.aimg thumbs/common
expect_same out mask2.pgm
expect_exit 1 "$AIMG" attach a.aimg cat/2.pgm thumb mask1.pgm --as thumbs/common
expect_contains err "there is an attachment 'thumbs/common' already"

# what has no name cannot say whether it is CSV
expect_exit 2 "$AIMG" attach a.aimg --from -
expect_contains err 'A file whose name ends in .csv, .jsonl or .ndjson says it'

# no header of CSV could say this name
cp a.aimg b.aimg
for name in ' mask' 'mask '; do
    expect_exit 1 "$AIMG" attach b.aimg cat/2.pgm "$name" mask1.pgm
    expect_contains err "the column's name '$name' begins or ends with a space"
done
expect_same a.aimg b.aimg
printf 'name, depth :image\ncat/1.pgm,mask1.pgm\n' >spaced.csv
expect_exit 0 "$AIMG" attach b.aimg --from spaced.csv
expect_exit 0 "$AIMG" cat --column depth b.aimg cat/1.pgm
expect_same out mask1.pgm

# again: it is replaced
expect_exit 0 "$AIMG" attach a.aimg cat/2.pgm mask mask1.pgm
expect_exit 0 "$AIMG" cat --column mask a.aimg cat/2.pgm
expect_same out mask1.pgm
expect_equal "$(images a.aimg)" '(3, 7, 1, 3, 5)'
expect_exit 0 "$AIMG" verify a.aimg
# an owner whose attachment went away with that shows nothing
expect_exit 0 "$AIMG" attach a.aimg cat/1.pgm mask mask2.pgm
expect_exit 0 "$AIMG" get a.aimg mask cat/3.pgm
expect_contains err 'removed'
expect_exit 1 "$AIMG" cat --column mask a.aimg cat/3.pgm

# an image that is replaced has no attachment until it is given one; the file may be any, also empty
expect_exit 0 "$AIMG" add --replace a.aimg photos/
expect_exit 1 "$AIMG" cat --column mask a.aimg cat/1.pgm
expect_contains err "'cat/1.pgm' has nothing in column 'mask'"
: >empty
expect_exit 0 "$AIMG" attach a.aimg cat/1.pgm depth empty
expect_exit 0 "$AIMG" cat --column depth a.aimg cat/1.pgm
expect_lines out 0
expect_exit 0 "$AIMG" verify a.aimg

# ------------------------------------------------------------------ what is replaced is what the image has there
# renamed.aimg: x:mask is what the image 'old' has, which was called x; there is a new x
for name in x x:y; do make_picture "owners/$name" 3 3 "$name"; done
expect_exit 0 "$AIMG" pack -q owners.aimg owners
cp owners.aimg o.aimg
expect_exit 0 "$AIMG" attach o.aimg x mask mask1.pgm
expect_exit 0 "$AIMG" mv o.aimg x old
expect_exit 0 "$AIMG" add o.aimg owners/x
cp o.aimg renamed.aimg
expect_exit 1 "$AIMG" attach o.aimg x mask mask2.pgm
expect_contains err "there is an attachment 'x:mask' already, of another image or column; give another name with --as"
expect_same o.aimg renamed.aimg
expect_exit 0 "$AIMG" attach o.aimg x mask mask2.pgm --as x:second
expect_exit 0 "$AIMG" cat --column mask o.aimg old x
cat mask1.pgm mask2.pgm >wanted
expect_same out wanted

# a renamed image: its attachment goes, and with it what only that has, unless it is shared
attachments() {
    "$AIMG" info --json "$1" >info.json
    json info.json 'o["attachments"]'
}
cp renamed.aimg o.aimg
expect_exit 0 "$AIMG" attach o.aimg x:mask nested mask2.pgm
expect_equal "$(attachments o.aimg)" 2
expect_exit 0 "$AIMG" attach o.aimg old mask mask2.pgm
expect_equal "$(attachments o.aimg)" 1
expect_exit 0 "$AIMG" cat --column mask o.aimg old
expect_same out mask2.pgm
expect_exit 0 "$AIMG" rm o.aimg old
expect_equal "$(attachments o.aimg)" 0
expect_exit 0 "$AIMG" verify o.aimg
cp renamed.aimg o.aimg
printf 'name,mask,other:image\nold,x:mask,x:mask\nx:y,x:mask,\n' >shared.csv
expect_exit 0 "$AIMG" set o.aimg shared.csv
expect_exit 0 "$AIMG" attach o.aimg old mask mask2.pgm x:y other mask2.pgm
expect_equal "$(attachments o.aimg)" 3
expect_exit 0 "$AIMG" cat --column mask o.aimg x:y
expect_same out mask1.pgm
cp o.aimg shared.aimg
expect_exit 0 "$AIMG" attach o.aimg x:y mask mask2.pgm
expect_exit 0 "$AIMG" cat o.aimg x:mask # which 'old' has in the column 'other'
expect_equal "$(attachments o.aimg)" 4
expect_exit 0 "$AIMG" attach shared.aimg x:y mask mask2.pgm old other mask2.pgm
expect_exit 1 "$AIMG" cat shared.aimg x:mask
expect_equal "$(attachments shared.aimg)" 4

# two that have one: who comes last removes it, or takes its name
cp renamed.aimg o.aimg
printf 'name,mask\nx,x:mask\n' >shared.csv
expect_exit 0 "$AIMG" set o.aimg shared.csv
for words in 'old mask mask2.pgm x mask mask1.pgm' 'x mask mask1.pgm old mask mask2.pgm'; do
    cp o.aimg both.aimg
    expect_exit 0 "$AIMG" attach both.aimg $words
    expect_equal "$(attachments both.aimg)" 2
    expect_exit 0 "$AIMG" cat --column mask both.aimg x old
    expect_same out wanted
    expect_exit 0 "$AIMG" verify both.aimg
done

# two names that come to one
cp owners.aimg o.aimg
expect_exit 0 "$AIMG" attach o.aimg x y:mask mask1.pgm
cp o.aimg before.aimg
expect_exit 1 "$AIMG" attach o.aimg x:y mask mask2.pgm
expect_contains err "there is an attachment 'x:y:mask' already, of another image or column"
expect_same o.aimg before.aimg

# what no image has any more may be replaced by its name
cp owners.aimg o.aimg
expect_exit 0 "$AIMG" attach o.aimg x mask mask1.pgm
expect_exit 0 "$AIMG" add --replace o.aimg owners
expect_exit 0 "$AIMG" attach o.aimg x mask mask2.pgm
expect_exit 0 "$AIMG" cat --column mask o.aimg x
expect_same out mask2.pgm
expect_equal "$(attachments o.aimg)" 1

# texts and bytes come with cat --column too, numbers do not
printf 'name,t:utf8,b:bytes,n:u8\ncat/1.pgm,"a\nb",00ff41,7\ncat/2.pgm,"",,\n' >values.csv
expect_exit 0 "$AIMG" set a.aimg values.csv
expect_exit 0 "$AIMG" cat --column t a.aimg cat/1.pgm
printf 'a\nb' >wanted
expect_same out wanted
expect_exit 0 "$AIMG" cat --column b a.aimg cat/1.pgm
printf '\0\377A' >wanted
expect_same out wanted
expect_exit 0 "$AIMG" cat --column t a.aimg cat/2.pgm
expect_equal "$(stat -c %s out)" 0
expect_exit 1 "$AIMG" cat --column n a.aimg cat/1.pgm
expect_contains err 'numbers'
expect_exit 1 "$AIMG" cat --column nope a.aimg cat/1.pgm
expect_contains err "no column 'nope'"
expect_exit 1 "$AIMG" cat --column t a.aimg nope cat/1.pgm
expect_lines err 1

# ------------------------------------------------------------------ from a table
printf 'name,mask,thumb:image\ncat/1.pgm,mask1.pgm,mask2.pgm\ncat/2.pgm,,mask2.pgm\ncat/3.pgm,"mask2.pgm",\n' >from.csv
cp fresh.aimg b.aimg
expect_exit 0 "$AIMG" attach b.aimg --from from.csv
expect_contains err 'attached 4 files'
expect_exit 0 "$AIMG" get --types b.aimg mask thumb
printf '%s\n' name,mask:image,thumb:image cat/1.pgm,cat/1.pgm:mask,cat/1.pgm:thumb cat/2.pgm,,cat/2.pgm:thumb \
    cat/3.pgm,cat/3.pgm:mask, >wanted
expect_same out wanted
expect_exit 0 "$AIMG" cat --column thumb b.aimg cat/2.pgm
expect_same out mask2.pgm
expect_exit 0 "$AIMG" log b.aimg
expect_lines out 2
expect_exit 0 "$AIMG" verify b.aimg
printf '{"name":"cat/1.pgm","mask":"mask2.pgm","thumb":null}\n{"name":"cat/2.pgm"}\n' >from.jsonl
expect_exit 0 "$AIMG" attach b.aimg --from from.jsonl
expect_exit 0 "$AIMG" cat --column mask b.aimg cat/1.pgm
expect_same out mask2.pgm
cp fresh.aimg b.aimg
for text in 'name,mask\ncat/1.pgm,mask1.pgm\ncat/9.pgm,mask2.pgm\n' 'name,mask\ncat/1.pgm,mask1.pgm\ncat/1.pgm,mask2.pgm\n' \
    'name,mask:u8\ncat/2.pgm,mask1.pgm\n' 'name,mask\ncat/1.pgm,\n' 'name,mask\n'; do
    printf '%b' "$text" >from.csv
    expect_exit 1 "$AIMG" attach b.aimg --from from.csv
    expect_contains err from.csv
    expect_same fresh.aimg b.aimg
done
printf 'name,mask\ncat/1.pgm,nowhere.png\n' >from.csv
expect_exit 3 "$AIMG" attach b.aimg --from from.csv
expect_contains err 'nowhere.png: cannot open'
expect_contains err 'from.csv:2:'
printf '{"name":"cat/1.pgm","mask":5}\n' >from.jsonl
expect_exit 1 "$AIMG" attach b.aimg --from from.jsonl
expect_contains err "column 'mask': it is no path"
expect_same fresh.aimg b.aimg
expect_exit 2 "$AIMG" attach b.aimg --from from.csv cat/1.pgm mask mask1.pgm
expect_exit 2 "$AIMG" attach b.aimg --from from.csv --as x

# ------------------------------------------------------------------ refused, and nothing is changed
refused() {
    local code=$1 message=$2
    shift 2
    cp fresh.aimg b.aimg
    expect_exit "$code" "$AIMG" attach b.aimg "$@"
    expect_contains err "$message"
    expect_same fresh.aimg b.aimg
}
refused 1 "no image 'cat/9.pgm'" cat/9.pgm mask mask1.pgm
refused 1 "did you mean 'cat/1.pgm'" CAT/1.pgm mask mask1.pgm
refused 3 'cannot open' cat/1.pgm mask missing.pgm
refused 3 'is a folder' cat/1.pgm mask photos
refused 3 'a device or a pipe' cat/1.pgm mask /dev/null
refused 1 "column 'width' is u32" cat/1.pgm width mask1.pgm
refused 1 'cannot be called' cat/1.pgm mask mask1.pgm --as ../x
refused 1 'give a name with --as' cat/1.pgm 'a\b' mask1.pgm
refused 1 'give a name with --as' cat/1.pgm "$(printf 'x%.0s' $(seq 255))" mask1.pgm
refused 1 "there is an image 'cat/2.pgm' already" cat/1.pgm mask mask1.pgm --as cat/2.pgm
refused 1 'two attachments of this command' cat/1.pgm mask mask1.pgm cat/1.pgm mask mask2.pgm
refused 1 'nothing was attached' cat/1.pgm mask mask1.pgm cat/9.pgm mask mask2.pgm
refused 2 'PATH is missing' cat/1.pgm mask
refused 2 'missing' cat/1.pgm mask mask1.pgm cat/2.pgm
refused 2 '--as is for one' cat/1.pgm mask mask1.pgm cat/2.pgm mask mask2.pgm --as x
expect_exit 2 "$AIMG" attach b.aimg
expect_exit 2 "$AIMG" attach
expect_exit 3 "$AIMG" attach missing.aimg cat/1.pgm mask mask1.pgm
for name in id name data; do
    cp fresh.aimg b.aimg
    expect_exit 2 "$AIMG" attach b.aimg cat/1.pgm $name mask1.pgm
    expect_same fresh.aimg b.aimg
done

# a table that does not come
cp fresh.aimg b.aimg
expect_ended_at_pipe slow.csv "$AIMG" attach b.aimg --from slow.csv
expect_same fresh.aimg b.aimg

finish
