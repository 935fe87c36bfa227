#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# diff: two archives, and two commits of one, by name and content.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"

# expect_diff STATUS WANTED ARGUMENTS...: the lines, sorted.
expect_diff() {
    local status=$1 wanted=$2
    shift 2
    expect_exit "$status" "$AIMG" diff "$@"
    expect_equal "$(sort out | tr '\n' ' ')" "$wanted"
}

for i in 1 2 3 4; do make_picture "one/$i.pgm" 6 6 "$i"; done
cp -r one two
rm two/1.pgm
make_picture two/2.pgm 6 6 other
make_picture two/5.pgm 6 6 five
expect_exit 0 "$AIMG" pack a.aimg one
expect_exit 0 "$AIMG" pack b.aimg two
expect_exit 0 "$AIMG" pack --compress zstd c.aimg one

expect_diff 0 '' a.aimg a.aimg
expect_diff 0 '' a.aimg c.aimg # stored otherwise, the same content
expect_diff 1 '+ 5.pgm - 1.pgm ~ 2.pgm ' a.aimg b.aimg
expect_contains err '1 added, 1 removed, 1 changed'
expect_diff 1 '+ 1.pgm - 5.pgm ~ 2.pgm ' b.aimg a.aimg
expect_exit 1 "$AIMG" diff -q a.aimg b.aimg
expect_lines err 0
expect_exit 1 "$AIMG" diff --json a.aimg b.aimg
expect_equal "$(sort out | tr '\n' ' ')" \
    '{"change":"added","name":"5.pgm"} {"change":"changed","name":"2.pgm"} {"change":"removed","name":"1.pgm"} '
mkdir none
expect_exit 0 "$AIMG" pack none.aimg none
expect_diff 1 '- 1.pgm - 2.pgm - 3.pgm - 4.pgm ' a.aimg none.aimg
expect_diff 1 '+ 1.pgm + 2.pgm + 3.pgm + 4.pgm ' none.aimg a.aimg
expect_diff 0 '' none.aimg none.aimg

# an attachment is no image, whatever its name
make_picture three/x 3 3 x
expect_exit 0 "$AIMG" pack attached.aimg three
expect_exit 0 "$AIMG" attach attached.aimg x mask one/1.pgm
cp one/1.pgm three/x:mask
expect_exit 0 "$AIMG" pack image.aimg three
expect_diff 1 '- x:mask ' image.aimg attached.aimg
expect_diff 1 '+ x:mask ' attached.aimg image.aimg
expect_exit 0 "$AIMG" rm image.aimg x:mask
expect_exit 0 "$AIMG" attach image.aimg x mask one/1.pgm
expect_diff 1 '- x:mask ' --from 0 image.aimg
expect_diff 1 '+ x:mask ' --from 2 --to 0 image.aimg

# one archive over its commits, 0 to 6
expect_exit 0 "$AIMG" add --replace a.aimg two        # 1: 2 3 4 are stored anew, 5 comes
expect_exit 0 "$AIMG" rm a.aimg 4.pgm                 # 2
expect_exit 0 "$AIMG" mv a.aimg 3.pgm three.pgm       # 3
expect_exit 0 "$AIMG" mv a.aimg three.pgm 3.pgm       # 4: as it was
expect_exit 0 "$AIMG" add --prefix new/ a.aimg one    # 5
expect_exit 0 "$AIMG" rm a.aimg 'new/*'               # 6: as it was
expect_diff 1 '+ 5.pgm ~ 2.pgm ' a.aimg --from 0 --to 1
expect_diff 1 '- 4.pgm ' a.aimg --from 1 --to 2
expect_diff 1 '+ three.pgm - 3.pgm ' a.aimg --from 2 --to 3
expect_diff 0 '' a.aimg --from 2 --to 4
expect_diff 0 '' a.aimg --from 4 --to 6
expect_diff 0 '' a.aimg --from 6
expect_diff 1 '+ new/1.pgm + new/2.pgm + new/3.pgm + new/4.pgm ' a.aimg --from 4 --to 5
expect_diff 1 '+ 5.pgm - 4.pgm ~ 2.pgm ' a.aimg --from 0
expect_diff 1 '+ 4.pgm - 5.pgm ~ 2.pgm ' a.aimg --from 6 --to 0 # backwards
cp a.aimg copy.aimg
for from in 0 1 2 3 4 5 6; do # the same as two archives
    for to in 0 3 5 6; do
        run "$AIMG" diff a.aimg --from $from --to $to
        sort out >wanted
        was=$status
        run "$AIMG" diff a.aimg copy.aimg --from $from --to $to
        sort out >found
        expect_same found wanted
        expect_equal "$status" "$was"
    done
done

# trouble is more than 1
expect_exit 2 "$AIMG" diff a.aimg --from 7
expect_contains err 'commits are 0 to 6'
expect_exit 2 "$AIMG" diff a.aimg --from 0 --to 7
expect_exit 2 "$AIMG" diff none.aimg --from 5
expect_exit 3 "$AIMG" diff a.aimg missing.aimg
expect_exit 3 "$AIMG" diff missing.aimg a.aimg
printf 'not an archive, but long enough to be looked at' >text
expect_exit 4 "$AIMG" diff a.aimg text
expect_exit 3 bash -c '"$0" diff a.aimg none.aimg >/dev/full' "$AIMG"
expect_exit 2 "$AIMG" diff
expect_exit 2 "$AIMG" diff a.aimg
expect_contains err '--from'
expect_exit 2 "$AIMG" diff a.aimg --to 1
expect_exit 2 "$AIMG" diff a.aimg --from x
expect_exit 2 "$AIMG" diff a.aimg --from -1
expect_exit 2 "$AIMG" diff a.aimg --from ''
expect_exit 2 "$AIMG" diff a.aimg b.aimg c.aimg

finish
