#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

make_picture photos/cat/1.pgm 40 30 one
make_picture photos/cat/2.pgm 50 30 two
make_picture photos/Dog.pgm 60 30 three
make_picture photos/other/dog.pgm 7 7 four
make_picture photos/Other/DOG.pgm 7 8 five
make_picture photos/@7 6 3 seven
make_picture photos/@name 6 4 at
expect_exit 0 "$AIMG" pack a.aimg photos/

# by name and by position, which is the line of ls
expect_exit 0 "$AIMG" cat a.aimg cat/1.pgm
expect_same out photos/cat/1.pgm
expect_lines err 0
"$AIMG" ls a.aimg >names
i=0
while read -r name; do
    expect_exit 0 "$AIMG" cat a.aimg @$i
    expect_same out "photos/$name"
    i=$((i + 1))
done <names
expect_equal "$i" 7
expect_exit 0 "$AIMG" cat a.aimg @00
expect_same out "photos/$(head -1 names)"

# several, one after the other, in the order asked for
expect_exit 0 "$AIMG" cat a.aimg cat/2.pgm @2 cat/2.pgm
cat photos/cat/2.pgm "photos/$(sed -n 3p names)" photos/cat/2.pgm >wanted
expect_same out wanted

# compressed archives give the original bytes
expect_exit 0 "$AIMG" pack --compress zstd z.aimg photos/
expect_exit 0 "$AIMG" cat z.aimg cat/2.pgm
expect_same out photos/cat/2.pgm

# names that look like positions
expect_exit 0 "$AIMG" cat a.aimg @name
expect_same out photos/@name
expect_exit 1 "$AIMG" cat a.aimg @7
expect_exit 0 "$AIMG" cat --name a.aimg @7
expect_same out photos/@7

# not there: exit 1, one line that helps, and the others are still written
expect_exit 1 "$AIMG" cat a.aimg cat/9.pgm
expect_lines out 0
expect_lines err 1
expect_contains err "no image 'cat/9.pgm'"
expect_exit 1 "$AIMG" cat a.aimg cow.pgm cat/1.pgm
expect_same out photos/cat/1.pgm
expect_exit 1 "$AIMG" cat a.aimg dog.pgm
expect_contains err "did you mean 'Dog.pgm'?"
expect_exit 1 "$AIMG" cat a.aimg OTHER/dog.PGM
expect_contains err "did you mean 'Other/DOG.pgm'?"
expect_exit 1 "$AIMG" cat a.aimg photos/cat/2.pgm
expect_contains err "did you mean 'cat/2.pgm'?"
expect_exit 1 "$AIMG" cat a.aimg ''
expect_exit 1 "$AIMG" cat a.aimg ../cat/1.pgm
expect_exit 1 "$AIMG" cat a.aimg @7
expect_contains err '@6'
expect_lines err 1
expect_exit 1 "$AIMG" cat a.aimg @99999999999999999999999999
expect_lines err 1
expect_exit 1 "$AIMG" cat a.aimg "$(printf 'x%.0s' $(seq 5000))"
mkdir empty
expect_exit 0 "$AIMG" pack empty.aimg empty
expect_exit 1 "$AIMG" cat empty.aimg @0
expect_contains err 'empty'

# a terminal is refused, unless -f
if command -v script >/dev/null; then
    script -qec "$AIMG cat a.aimg cat/1.pgm" /dev/null </dev/null >terminal
    expect_equal $? 2
    expect_contains terminal 'terminal'
    script -qec "$AIMG cat -f a.aimg cat/1.pgm" /dev/null </dev/null >terminal
    expect_equal $? 0
    expect_contains terminal 'P5'
else
    skip 'terminals: there is no program script'
fi

# damaged bytes are not written, stored or coded
for method in store auto; do
    expect_exit 0 "$AIMG" pack --force --compress $method damaged.aimg photos
    expect_exit 0 "$AIMG" info --json damaged.aimg cat/1.pgm
    offset=$(json out 'o["offset"]')
    printf '#' | dd of=damaged.aimg bs=1 seek=$((offset + 20)) conv=notrunc 2>/dev/null
    expect_exit 4 "$AIMG" cat damaged.aimg cat/1.pgm
    expect_equal "$(stat -c %s out)" 0
    expect_lines err 1
    expect_exit 4 "$AIMG" cat damaged.aimg cat/1.pgm cat/2.pgm
    expect_same out photos/cat/2.pgm
done

# output that cannot be written
expect_exit 3 bash -c '"$0" cat a.aimg cat/1.pgm cat/2.pgm >/dev/full' "$AIMG"
expect_lines err 1
"$AIMG" cat a.aimg cat/1.pgm 2>err | true
expect_lines err 0

# misuse
expect_exit 2 "$AIMG" cat
expect_exit 2 "$AIMG" cat a.aimg
expect_contains err 'NAME'
expect_exit 2 "$AIMG" cat -z a.aimg @0

finish
