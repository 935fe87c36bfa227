#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# meta: what an archive says about itself; and seal, which changes none of it.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"

for i in 1 2 3; do make_picture "photos/$i.pgm" 4 4 "$i"; done
expect_exit 0 env SOURCE_DATE_EPOCH=1600000000 "$AIMG" pack base.aimg photos
cp base.aimg a.aimg
unchanged() { expect_same a.aimg "$1"; }

# nothing yet
expect_exit 0 "$AIMG" meta a.aimg
expect_lines out 0
expect_exit 0 "$AIMG" meta --json a.aimg
expect_equal "$(json out 'o["meta"]')" '{}'
expect_exit 1 "$AIMG" meta a.aimg title
expect_contains err "no metadata 'title'"

# set, in one commit; read one, several, all
expect_exit 0 "$AIMG" meta a.aimg title='Cats and dogs' licence=CC-BY-4.0 'own key= = x' empty=
expect_lines out 0
expect_lines err 0
expect_equal "$(commits a.aimg)" 2
expect_exit 0 "$AIMG" meta a.aimg
printf '%s\n' empty= licence=CC-BY-4.0 'own key= = x' 'title=Cats and dogs' >wanted
expect_same out wanted
expect_exit 0 "$AIMG" meta a.aimg title 'own key' empty
printf 'Cats and dogs\n = x\n\n' >wanted
expect_same out wanted
expect_exit 1 "$AIMG" meta a.aimg title nothing licence
printf 'Cats and dogs\nCC-BY-4.0\n' >wanted
expect_same out wanted
expect_exit 0 "$AIMG" verify a.aimg

# info shows it, too, and cuts what is long
expect_exit 0 "$AIMG" info a.aimg
grep -A 3 '^metadata' out | cut -c 15- >shown
expect_same shown - < <(printf '%s\n' empty= licence=CC-BY-4.0 'own key= = x' 'title=Cats and dogs')
expect_exit 0 "$AIMG" info --json a.aimg
expect_equal "$(json out 'o["meta"]["title"], o["meta"]["empty"], len(o["meta"])')" "('Cats and dogs', '', 4)"
expect_exit 0 "$AIMG" info --json --at 0 a.aimg
expect_equal "$(json out 'o["meta"], o["runs"], o["name_tables"]')" '({}, 1, 1)'
cp a.aimg long.aimg
expect_exit 0 "$AIMG" meta long.aimg title="$(printf 'é%.0s' $(seq 300))"
expect_exit 0 "$AIMG" info long.aimg
expect_contains out "title=$(printf 'é%.0s' $(seq 100)) ..."

# what is the same is no commit
expect_exit 0 "$AIMG" meta a.aimg licence=CC-BY-4.0
expect_equal "$(commits a.aimg)" 2

# change and remove; the history keeps it
expect_exit 0 "$AIMG" meta --message 'a better title' a.aimg title=Dogs --delete empty -d 'own key'
expect_exit 0 "$AIMG" meta a.aimg
expect_equal "$(cat out)" "$(printf 'licence=CC-BY-4.0\ntitle=Dogs')"
expect_exit 0 "$AIMG" meta --at 1 a.aimg title
expect_equal "$(cat out)" 'Cats and dogs'
expect_exit 0 "$AIMG" meta --at 0 a.aimg
expect_lines out 0
expect_exit 0 "$AIMG" log --json a.aimg
expect_equal "$(json out '(o["commits"][0]["message"], o["commits"][0]["added"], o["commits"][0]["images"])')" \
    "('a better title', 0, 3)"

# some are set and others read: one commit, then what is read as it is after it
cp a.aimg mixed.aimg
count=$(commits mixed.aimg)
expect_exit 0 "$AIMG" meta mixed.aimg licence title=New
expect_equal "$(cat out)" CC-BY-4.0
expect_equal "$(commits mixed.aimg)" $((count + 1))
expect_exit 0 "$AIMG" meta mixed.aimg title=Newer title licence=MIT licence own=x
printf 'Newer\nMIT\n' >wanted
expect_same out wanted
expect_equal "$(commits mixed.aimg)" $((count + 2))
expect_exit 1 "$AIMG" meta mixed.aimg --delete own own title
expect_equal "$(cat out)" Newer
expect_contains err "no metadata 'own'"
expect_exit 0 "$AIMG" meta --json mixed.aimg title=Newest title
expect_equal "$(json out 'o["meta"]')" "{'title': 'Newest'}"

# as JSON the same keys, in an object as that of all
expect_exit 0 "$AIMG" meta mixed.aimg empty=
expect_exit 0 "$AIMG" meta --json mixed.aimg title empty
expect_lines out 1
expect_equal "$(json out 'o["schema"], o["path"], o["meta"]')" \
    "('aimg.meta/1', 'mixed.aimg', {'title': 'Newest', 'empty': ''})"
expect_exit 1 "$AIMG" meta --json mixed.aimg nothing title
expect_equal "$(json out 'o["meta"]')" "{'title': 'Newest'}"
expect_contains err "no metadata 'nothing'"
expect_exit 0 "$AIMG" meta --json --at 1 mixed.aimg title
expect_equal "$(json out 'o["meta"]')" "{'title': 'Cats and dogs'}"
expect_exit 0 "$AIMG" verify mixed.aimg

# texts of all kinds: as they are when one is asked for, escaped in the list, exact as JSON
long=$(printf 'lo\tng\n\xc3\xa9%.0s' $(seq 5000))
expect_exit 0 "$AIMG" meta a.aimg "source=$long" $'k\xc3\xa9y=\x1b[31mred'
expect_exit 0 "$AIMG" meta a.aimg source
printf '%s\n' "$long" >wanted
expect_same out wanted
expect_exit 0 "$AIMG" meta a.aimg
expect_lines out 4
expect_contains out 'red'
expect_contains out '\x1B[31mred'
expect_exit 0 "$AIMG" meta --json a.aimg
expect_equal "$(json out 'len(o["meta"]["source"]), sorted(o["meta"])')" \
    "($(printf %s "$long" | wc -m), ['kéy', 'licence', 'source', 'title'])"
expect_exit 0 "$AIMG" verify a.aimg

# what adds, removes and renames leaves it
expect_exit 0 "$AIMG" add --prefix more/ a.aimg photos
expect_exit 0 "$AIMG" rm a.aimg 1.pgm
expect_exit 0 "$AIMG" mv a.aimg 2.pgm two.pgm
expect_exit 0 "$AIMG" meta a.aimg title
expect_equal "$(cat out)" Dogs

# what is refused, and then nothing is changed
cp a.aimg before
expect_exit 1 "$AIMG" meta a.aimg new=1 --delete nothing
expect_exit 2 "$AIMG" meta a.aimg =value
expect_exit 2 "$AIMG" meta a.aimg ''
expect_exit 2 "$AIMG" meta a.aimg "$(printf 'k%.0s' $(seq 256))=1"
expect_exit 2 "$AIMG" meta a.aimg new=1 $'bad=\xff'
expect_exit 2 "$AIMG" meta --json a.aimg title=x
expect_exit 2 "$AIMG" meta --json a.aimg --delete title
expect_exit 2 "$AIMG" meta --at 0 a.aimg title=x
expect_exit 2 "$AIMG" meta --at 0 a.aimg title=x licence
expect_exit 1 "$AIMG" meta a.aimg new=1 --delete nothing title
expect_lines out 0
expect_exit 2 "$AIMG" meta
expect_exit 2 "$AIMG" meta --delete
expect_exit 2 "$AIMG" meta -x a.aimg
unchanged before
expect_exit 1 "$AIMG" meta --at 99 a.aimg
expect_exit 3 "$AIMG" meta missing.aimg
expect_exit 3 "$AIMG" meta missing.aimg a=b
expect_exit 3 bash -c '"$0" meta a.aimg >/dev/full' "$AIMG"
unchanged before

# a value that makes the metadata too long for the format
"$python" - "$AIMG" <<'PY' >out 2>err
import subprocess, sys
# too long for one word of a command line; many long values do it
run = lambda *words: subprocess.run([sys.argv[1], 'meta', 'a.aimg', *words], capture_output=True, text=True)
codes = [run(*(f'k{i}.{k}=' + 100000 * 'v' for k in range(10))).returncode for i in range(17)]
print(codes)
PY
expect_equal "$(cat out)" "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3]"
expect_exit 0 "$AIMG" verify a.aimg

# without room nothing is changed, and that is said
cp before a.aimg
expect_no_room a.aimg meta a.aimg title=none
expect_contains err 'a.aimg: nothing was changed; the archive is as it was'
expect_no_room a.aimg seal a.aimg
expect_contains err 'a.aimg: it was not sealed; the archive is as it was'
unchanged before

# seal: one commit, everything as it was, and the archive can still be added to
cp base.aimg a.aimg
for i in $(seq 30); do
    make_picture "one/$i.pgm" 2 2 "$i"
    "$AIMG" add -q --prefix one/ a.aimg "one/$i.pgm" || fail "add $i"
done
expect_exit 0 "$AIMG" rm -q a.aimg 'one/2*'
expect_exit 0 "$AIMG" meta a.aimg title=sealed
expect_exit 0 "$AIMG" ls --json a.aimg
mv out before
count=$(commits a.aimg)
expect_exit 0 "$AIMG" seal --message 'for publishing' a.aimg
expect_contains err 'sealed'
expect_exit 0 "$AIMG" ls --json a.aimg
expect_same out before
expect_exit 0 "$AIMG" info a.aimg
expect_contains out 'sealed        yes'
expect_equal "$(commits a.aimg)" $((count + 1))
expect_exit 0 "$AIMG" seal a.aimg
expect_equal "$(commits a.aimg)" $((count + 1))
expect_exit 0 "$AIMG" verify a.aimg
expect_exit 0 "$AIMG" diff --from 5 a.aimg --to 5
expect_exit 0 "$AIMG" diff --from $((count - 1)) a.aimg
expect_exit 1 "$AIMG" diff --from 5 a.aimg
expect_exit 0 "$AIMG" add -q --prefix late/ a.aimg photos
expect_exit 0 "$AIMG" info a.aimg
expect_lacks out 'sealed        yes'
expect_exit 0 "$AIMG" verify a.aimg
cp a.aimg other.aimg
expect_shim 3 SYNC=2 AT_SYNC='mv other.aimg a.aimg' "$AIMG" seal a.aimg
expect_contains err 'was removed or replaced by another program'
expect_lacks err sealed
expect_exit 2 "$AIMG" seal
expect_exit 2 "$AIMG" seal a.aimg b.aimg
expect_exit 2 "$AIMG" seal -x a.aimg
expect_exit 3 "$AIMG" seal missing.aimg

finish
