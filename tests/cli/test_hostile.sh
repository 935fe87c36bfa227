#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Archives that somebody made to do harm, and places that change under the tool's hands: tests/HOSTILE.md lists what is tried.
. "$(dirname "$0")/lib.sh"
: "${MAKE_DENSE:?set it to the path of the make_dense program}" "${BUILDER:?set it to the path of spec/vectors}"
python=${AIMG_PYTHON:-/usr/bin/python3}
"$python" "$test_source/make_hostile.py" "$BUILDER" made || fail 'make_hostile.py failed'

# below DIR: all that came of a name that would leave it
test_names() {
    mkdir jail
    expect_exit 1 "$AIMG" unpack made/leaving.aimg -C jail/inner
    expect_equal "$(cd jail && find . -type f)" ./inner/good
    expect_false 'a file was written outside' test -e /tmp/escaped
    expect_exit 1 "$AIMG" unpack --force made/leaving.aimg -C jail/inner
    expect_equal "$(find jail -name '*escaped*')" ''
    expect_exit 1 "$AIMG" verify made/leaving.aimg
    expect_equal "$(grep -c '^.*rule 53 ' out)" 8
    # the same names do not get in
    echo x >file
    for name in ../x /x a/../x 'a\b' ./x a//x .. ''; do
        expect_exit 2 "$AIMG" add --name "$name" made/leaving.aimg file
    done
}

# A folder becomes a link while it is unpacked into: what was entered stays what it was, and nothing follows the link.
test_swapped_folder() {
    mkdir target
    for i in $(seq 300); do make_picture "photos/d/$i.pgm" 4 4 "$i"; done
    expect_exit 0 "$AIMG" pack many.aimg photos
    "$python" - <<'TEXT' &
import os, time
os.makedirs("jail2/d", exist_ok=True)
ends, swaps = time.monotonic() + 60, 0
while not os.path.exists("stop") and time.monotonic() < ends:
    try:
        os.rename("jail2/d", "jail2/was")
        os.symlink("../target", "jail2/d")
        time.sleep(0.0002)
        os.unlink("jail2/d")
        os.rename("jail2/was", "jail2/d")
        swaps += 1
    except OSError:
        # The tool made the folder anew while it was away.
        os.system("rm -rf jail2/was")
        os.makedirs("jail2/d", exist_ok=True)
open("swaps", "w").write(str(swaps))
TEXT
    local racer=$! refused=0
    wait_until test -e jail2/d
    for _ in $(seq 25); do
        run "$AIMG" unpack --force many.aimg -C jail2
        case $status in 0 | 1 | 3) pass ;; *) fail "exit $status" err ;; esac
        if grep -q 'symbolic link' err; then refused=$((refused + 1)); fi
    done
    touch stop
    wait $racer
    expect_equal "$(ls -A target)" ''
    expect_true "swapped $(cat swaps) times" test "$(cat swaps)" -gt 20
    expect_true "the link was never met ($refused)" test $refused -gt 0
}

test_links() {
    mkdir -p links elsewhere
    make_picture one/d/1.pgm 4 4
    make_picture one/2.pgm 4 4
    expect_exit 0 "$AIMG" pack one.aimg one
    ln -s ../elsewhere/dangling links/d
    ln -s ../elsewhere/dangling links/2.pgm
    expect_exit 1 "$AIMG" unpack one.aimg -C links
    expect_exit 1 "$AIMG" unpack --force one.aimg -C links
    expect_contains err 'links/d/1.pgm: a symbolic link stands in its path'
    expect_equal "$(ls -A elsewhere)" ''
    expect_false 'the link in the place of a file is followed or kept' test -L links/2.pgm
}

# Names that are one to some file system: nothing of the first is lost to the second, and --portable refuses beforehand.
test_twins() {
    "$python" - <<'TEXT'
import os
os.makedirs("twins/a")
accents = ("\u00e9t\u00e9", "e\u0301te\u0301", "\u1112\u1161\u11ab", "\ud55c")
for name in ("A.jpg", "a.jpg", "stra\u00dfe", "STRASSE", *accents, "a/b", "fine"):
    with open("twins/" + name, "w") as file:
        file.write(name)
TEXT
    expect_exit 0 "$AIMG" pack --all twins.aimg twins
    expect_exit 0 "$AIMG" unpack twins.aimg -C twins-here
    expect_same twins twins-here
    expect_exit 1 "$AIMG" unpack --portable twins.aimg -C twins-there
    expect_equal "$(grep -c 'differs from another name only in case, or in how accents are written' err)" 4
    expect_contains err 'nothing was written'
    expect_false 'something was written' test -e twins-there
    expect_exit 0 "$AIMG" unpack --portable twins.aimg -C twins-some fine a/b A.jpg
    expect_equal "$(find twins-some -type f | wc -l)" 3
    # a file where another name needs a folder, in either order, and folders that are one
    local case
    for case in 'X x/y' 'x/y X' 'D/1 d/2' $'\u00c4/1 a\u0308/2'; do
        rm -rf clash clash.aimg
        for name in $case; do make_picture "clash/$name" 2 2; done
        expect_exit 0 "$AIMG" pack --all clash.aimg clash
        expect_exit 1 "$AIMG" unpack --portable clash.aimg -C clash-there
        expect_lines err 2
    done
}

test_windows_names() {
    local name
    for name in con CON.jpg nul aux.tar.gz Com1 lpt9.png $'com\u00b9' 'prn .txt' conin\$ 'a:b' 'a?' 'a*' 'a<b' 'a>b' 'a|b' 'a"b' \
        'dot.' 'space ' 'folder./x' 'nul/x' 'x/aux'; do
        rm -rf names names.aimg
        make_picture "names/$name" 2 2
        expect_exit 0 "$AIMG" pack --all names.aimg names
        expect_exit 1 "$AIMG" unpack --portable names.aimg -C names-there
        expect_contains err "'$name'"
        expect_contains err Windows
    done
    rm -rf names names.aimg
    for name in console nulls com10 lpt .hidden 'a b' 'a.b.c' auxiliary.jpg $'\u00fcber'; do make_picture "names/$name" 2 2; done
    expect_exit 0 "$AIMG" pack --all names.aimg names
    expect_exit 0 "$AIMG" unpack --portable names.aimg -C names-there
    expect_same names names-there
}

# What --portable calls the same is what Unicode calls a canonical caseless match: random names against another implementation.
test_folding() {
    "$python" - >folds <<'TEXT'
import os, random, unicodedata as u
random.seed(4)
fold = lambda name: u.normalize("NFD", u.normalize("NFD", name).casefold())
odd = [chr(code) for code in range(0xA0, 0x1FFFF) if fold(chr(code)) != chr(code) or u.combining(chr(code))]
odd = [letter for letter in odd if u.category(letter) not in ("Cs", "Co", "Cn", "Cc", "Zs")]
odd = [letter for letter in odd if fold(letter) == fold(fold(letter))]
odd = [letter for letter in odd if not set(u.normalize("NFKD", letter)) & set('<>:"|?*./ ')]
composed, decomposed = (lambda name: u.normalize("NFC", name)), (lambda name: u.normalize("NFD", name))
changes = [str.upper, str.lower, str.casefold, composed, decomposed, lambda name: name + "x"]
names, twins, seen = [], 0, set()
while len(names) < 3000:
    name = "n%d" % (len(names) // 2) + "".join(random.choice(odd) for _ in range(random.randint(1, 5)))
    for name in (name, random.choice(changes)(name)):
        if name not in names and len(name.encode()) < 200:
            names.append(name)
os.makedirs("folding")
for name in names:
    with open("folding/" + name, "w"):
        pass
    twins += fold(name) in seen
    seen.add(fold(name))
print(twins)
TEXT
    expect_exit 0 "$AIMG" pack --all folding.aimg folding
    expect_exit 1 "$AIMG" unpack --portable folding.aimg -C folded
    expect_equal "$(sed -n 's/.*and \(.*\) more/\1/p' err)" $(($(cat folds) - 20))
    expect_true 'there are hundreds' test "$(cat folds)" -gt 300
}

# A repair works as long as the archive is large, whatever its tables say.
test_costly_repair() {
    local most=8
    if sanitized; then most=60; fi
    "$python" "$test_source/make_costly.py" "$BUILDER" costly || fail 'make_costly.py failed'
    for name in dictionary names columns; do
        run bash -c 'ulimit -t "$1"; shift; exec "$@"' bash $most "$AIMG" repair "costly/$name.aimg" -o "costly/$name.out"
        case $status in 0 | 1) pass ;; *) fail "repair of $name.aimg: exit $status" err ;; esac
        expect_exit 0 "$AIMG" verify "costly/$name.out"
    done
    expect_exit 1 "$AIMG" repair costly/bomb.aimg -o costly/bomb.out
    expect_contains out 'bytes that other images have'
    expect_exit 0 "$AIMG" verify costly/bomb.out
    expect_true 'it grows' test "$(stat -c %s costly/bomb.out)" -lt 2000000
}

# Little that becomes much: one image, many that share their bytes, images within images.
test_bombs() {
    expect_exit 0 "$MAKE_DENSE" dense.aimg 134217728
    for verb in unpack cat; do
        if [ $verb = cat ]; then run "$AIMG" cat dense.aimg dense; else run "$AIMG" unpack dense.aimg -C dense dense; fi
        expect_false "$verb decoded it" test "$status" = 0
        expect_contains err '--max-'
    done
    expect_exit 0 "$AIMG" cat --max-image 134217728 dense.aimg dense
    expect_equal "$(stat -c %s out)" 134217728
    : >out
    expect_exit 4 "$AIMG" cat --max-image 1K dense.aimg dense
    expect_exit 0 "$AIMG" verify --max-image 1G dense.aimg
    expect_lacks out 'more than the limits allow'
    expect_exit 1 "$AIMG" repair dense.aimg -o saved.aimg
    expect_contains out 'more than the limits allow'
    expect_exit 0 "$AIMG" repair --force --max-image 134217728 dense.aimg -o saved.aimg
    expect_exit 0 "$AIMG" verify --max-image 1G saved.aimg
    expect_exit 2 "$AIMG" repair --max-image many dense.aimg -o saved.aimg
    if ! sanitized; then
        expect_exit 0 bash -c 'ulimit -v 400000; exec "$@"' bash "$AIMG" verify dense.aimg
        expect_contains out 'more than the limits allow'
    fi
    expect_exit 4 "$AIMG" unpack made/shared.aimg -C shared
    expect_contains err 'lie over each other'
    expect_exit 4 "$AIMG" unpack --max-output 1T made/nested.aimg -C nested
    expect_contains err 'lie over each other'
    expect_false 'something was written' ls shared nested
    for name in shared nested overlapping; do expect_exit 1 "$AIMG" verify "made/$name.aimg"; done
}

# No byte that a terminal would act on reaches one, and JSON is JSON.
test_escapes() {
    local verb words
    for verb in ls 'ls -l' 'ls --json' info 'info --json' 'info @0' 'info --json @0' 'info @1' log 'log --json' verify \
        'verify --json' meta 'meta --json' 'get text label' \
        'get --jsonl text label' dups 'unpack -C escaped' 'rm @1 --dry-run' \
        'cat @1'; do
        set -- $verb
        words=$1
        shift
        run "$AIMG" "$words" made/escapes.aimg "$@"
        expect_true "$verb ended with $status" test "$status" -lt 5
        case $verb in *json*) "$python" -c 'import json; [json.loads(line) for line in open("out", encoding="utf-8")]' 2>why ||
            { [ -s out ] && fail "$verb: no JSON" out why; } ;; esac
        # get writes values as they are into files; on a terminal it must not.
        case $verb in get\ text*) ;; *) expect_harmless "$verb" out ;; esac
        expect_harmless "$verb" err
        if command -v script >/dev/null && [ "$words" != cat ]; then
            script -qec "$(printf '%q ' "$AIMG" "$words" made/escapes.aimg "$@")" /dev/null </dev/null >terminal
            # Its own colours and progress lines are no harm: the archive's bytes are.
            expect_lacks terminal $'\x1b]0;'
            expect_lacks terminal $'\x1b[31mred'
            expect_lacks terminal $'\xc2\x9b'
        fi
    done
}

expect_harmless() { # VERB FILE
    if LC_ALL=C grep -q $'[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]\|\xc2[\x80-\x9f]' "$2"; then
        fail "$1: control bytes" "$2"
    else
        pass
    fi
}

# A spreadsheet runs what begins like a formula.
test_formulas() {
    "$python" - >formulas.csv <<'TEXT'
print("name,text:text,number:int32,=head:text")
for i, text in enumerate(("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "plain", "a=b", "")):
    print('%s,"%s",-5,"%s"' % ("=cmd.jpg" if i == 0 else "%d.jpg" % i, text, text))
TEXT
    mkdir formulas
    for name in =cmd 1 2 3 4 5 6 7; do make_picture "formulas/$name.jpg" 2 2; done
    expect_exit 0 "$AIMG" pack --all formulas.aimg formulas
    expect_exit 0 "$AIMG" set formulas.aimg formulas.csv
    expect_exit 0 "$AIMG" get --csv formulas.aimg -o exact.csv
    expect_equal "$(grep -c "'" exact.csv)" 0
    expect_exit 0 "$AIMG" get --spreadsheet formulas.aimg -o safe.csv
    expect_exit 2 "$AIMG" get --spreadsheet --jsonl formulas.aimg
    "$python" - >told <<'TEXT'
import csv
exact, safe = (list(csv.reader(open(name, newline="", encoding="utf-8"))) for name in ("exact.csv", "safe.csv"))
number = exact[0].index("number")
for row, other in zip(exact, safe):
    for place, (cell, marked) in enumerate(zip(row, other)):
        wanted = "'" + cell if cell[:1] in tuple("=+-@\t\r") and (place != number or row is exact[0]) else cell
        assert marked == wanted, (cell, marked)
print(len(exact), sum(cell.startswith("'") for row in safe for cell in row))
TEXT
    expect_equal "$(cat told)" '9 12'
}

test_names
test_formulas
test_swapped_folder
test_links
test_twins
test_windows_names
test_folding
test_costly_repair
test_bombs
test_escapes
finish
