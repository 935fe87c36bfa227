#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

for i in 1 2 3; do make_picture "first/$i.pgm" 4 4 $i; done
make_picture second/4.pgm 4 4 four
make_picture third/4.pgm 4 4 other
expect_exit 0 env SOURCE_DATE_EPOCH=1700000000 "$AIMG" pack a.aimg first
expect_exit 0 env SOURCE_DATE_EPOCH=1700000060 "$AIMG" add a.aimg second
root=$("$AIMG" info --json a.aimg >info && json info 'o["root"]')
expect_exit 0 env SOURCE_DATE_EPOCH=1700000120 "$AIMG" add --replace a.aimg third

# one line a commit, the newest first
expect_exit 0 "$AIMG" log a.aimg
expect_lines out 3
expect_lines err 0
read -r number time images word added removed hash <out
expect_equal "$number $time $images $word $added $removed ${#hash}" "2 2023-11-14T22:15:20Z 4 images +1 -1 32"
read -r number time images word added removed hash < <(sed -n 2p out)
expect_equal "$number $time $images $added $removed $hash" "1 2023-11-14T22:14:20Z 4 +1 -0 $root"
read -r number time images word added removed hash < <(sed -n 3p out)
expect_equal "$number $time $images $added $removed" "0 2023-11-14T22:13:20Z 3 +3 -0"

expect_exit 0 "$AIMG" log --json a.aimg
expect_lines out 1
expect_equal "$(json out '[(c["seq"], c["images"], c["added"], c["removed"]) for c in o["commits"]]')" \
    '[(2, 4, 1, 1), (1, 4, 1, 0), (0, 3, 3, 0)]'
expect_equal "$(json out 'o["commits"][1]["root"]')" "$root"
expect_equal "$(json out 'o["commits"][1]["time"], o["commits"][1]["time_ns"]')" "('2023-11-14T22:14:20Z', 1700000060000000000)"
expect_equal "$(json out 'len({c["root"] for c in o["commits"]})')" 3
expect_equal "$(json out 'type(o["commits"][0]["message"]).__name__')" str

# a message does not pass for a commit
cp a.aimg forged.aimg
expect_exit 0 "$AIMG" meta forged.aimg --message $'one\n     9  2030-01-01T00:00:00Z  two' key=value
expect_exit 0 "$AIMG" log forged.aimg
expect_lines out 4
expect_contains out 'one\x0A     9'
expect_exit 0 "$AIMG" log --json forged.aimg
expect_equal "$(json out 'o["commits"][0]["message"].count(chr(10))')" 1

# as of an earlier commit
expect_exit 0 "$AIMG" log --json a.aimg
cp out all
expect_exit 0 "$AIMG" log --at 1 a.aimg
expect_lines out 2
expect_exit 0 "$AIMG" log --json --at 0 a.aimg
expect_equal "$(json out 'o["commits"]')" "$(json all 'o["commits"][2:]')"

# many commits
for i in $(seq 40); do
    make_picture "one/$i.pgm" 2 2 "$i"
    "$AIMG" add -q --prefix one/ a.aimg "one/$i.pgm" || fail "add $i"
done
expect_exit 0 "$AIMG" log a.aimg
expect_lines out 43
expect_exit 0 "$AIMG" log --json a.aimg
expect_equal "$(json out '[c["seq"] for c in o["commits"]] == list(range(42, -1, -1))')" True

# attachments are no images of the log
expect_exit 0 "$AIMG" pack owners.aimg first
expect_exit 0 "$AIMG" attach owners.aimg 1.pgm mask second/4.pgm
expect_exit 0 "$AIMG" log owners.aimg
read -r _ _ images _ added removed _ <out
expect_equal "$images $added $removed" "3 +0 -0"
expect_exit 0 "$AIMG" rm owners.aimg 1.pgm
expect_exit 0 "$AIMG" log --json owners.aimg
expect_equal "$(json out '[(c["images"], c["added"], c["removed"], c["attached"], c["detached"]) for c in o["commits"]]')" \
    '[(2, 0, 1, 0, 1), (3, 0, 0, 1, 0), (3, 3, 0, 0, 0)]'

# without commits
mkdir empty
expect_exit 0 "$AIMG" pack empty.aimg empty
expect_exit 0 "$AIMG" log --json empty.aimg
expect_equal "$(json out 'len(o["commits"]) <= 1')" True

# a torn tail is warned of
printf 'x' >>a.aimg
expect_exit 0 "$AIMG" log a.aimg
expect_lines out 43
expect_contains err 'warning'
expect_lines err 1

# misuse
expect_exit 2 "$AIMG" log
expect_exit 2 "$AIMG" log a.aimg b.aimg
expect_exit 2 "$AIMG" log -l a.aimg
expect_exit 3 bash -c '"$0" log a.aimg >/dev/full' "$AIMG"
expect_lines err 2

finish
