# SPDX-License-Identifier: Apache-2.0
# What the scripts of pack and add have in common; sourced after lib.sh.

python=${AIMG_PYTHON:-/usr/bin/python3}

# expect_names ARCHIVE NAME...: exactly these, in this order.
expect_names() {
    local archive=$1
    shift
    printf '%s\n' "$@" >wanted
    [ $# -gt 0 ] || : >wanted
    "$AIMG" ls "$archive" >listed 2>ls-err
    if cmp -s wanted listed; then pass; else diff wanted listed >difference; fail "names of $archive" difference ls-err; fi
}

# expect_bytes ARCHIVE NAME FILE
expect_bytes() {
    if "$AIMG" cat "$1" "$2" 2>cat-err | cmp -s - "$3"; then pass; else fail "$2 in $1 is not $3" cat-err; fi
}

expect_absent() {
    local file
    for file in "$@"; do
        if [ -e "$file" ]; then fail "$file should not be there"; else pass; fi
    done
}

# expect_durable SUFFIX ARCHIVE COMMAND...: makes ARCHIVE, and what it wrote to ARCHIVE.SUFFIX is durable before it gets its name,
# and then the name. Hint pages of a pack need not be: a reader finds the last commit without (spec/SPEC.md, section 2.3).
expect_durable() {
    local suffix=$1 archive=$2
    shift 2
    rm -f trace
    expect_shim 0 TRACE="$PWD/trace" "$@"
    "$python" - "$PWD/$archive" "$PWD/$archive.$suffix" <<'PY' >difference 2>&1
import os, sys
archive, unfinished = sys.argv[1:]
hint_pages = ('4096', '8192') if unfinished.endswith('.part') else ()
calls = [line.split() for line in open('trace')]
last = {}
for number, call in enumerate(calls):
    if call[0] in ('write', 'cut') and call[-1] not in hint_pages:
        call[0] = 'change'
    if call[0] == 'rename':
        call[1:] = map(os.path.abspath, call[1:])
    last[' '.join(call[:2])] = number
order = [last.get(what, -1) for what in (
    'change ' + unfinished, 'sync ' + unfinished, 'rename ' + unfinished, 'sync ' + os.path.dirname(archive))]
assert -1 not in order and order == sorted(order), order
assert calls[order[2]][2] == archive and 'change ' + archive not in last, last
PY
    if [ $? = 0 ]; then pass; else fail "$archive is not durable" difference trace; fi
}

commits() { "$AIMG" log --json "$1" 2>/dev/null | "$python" -c 'import json, sys; print(len(json.load(sys.stdin)["commits"]))'; }

# big N...: for each N 36 pictures of 15 MB, half of what is committed in one part. They compress to a hundredth, and take
# the room of one.
big() {
    mkdir -p big
    "$python" - "$@" <<'PY'
import os, random, sys
if not os.path.exists('picture.big'):
    noise = random.Random(1)
    with open('picture.big', 'wb') as file:
        file.write(b'P5\n5000 3000\n255\n')
        for _ in range(3750):
            file.write(noise.randbytes(40) + bytes(3960))
for number in sys.argv[1:]:
    for i in range(36):
        os.link('picture.big', f'big/{number}-{i:02}.pgm')
PY
}

# expect_big ARCHIVE [NAME...]: those names, then all of big.
expect_big() {
    local archive=$1
    shift
    expect_names "$archive" "$@" $(cd big && printf '%s\n' * | LC_ALL=C sort)
}

# wait_for COMMAND...: until it succeeds or the pack in the background has ended.
wait_for() {
    while kill -0 "$pid" 2>/dev/null; do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.01
    done
    return 1
}

# Whether the process in the background has locked a file: from then on it is the one writer of its archive.
holds_lock() { grep -qs '^lock:' "/proc/$pid/fdinfo/"*; }

# has_mapped NAME: whether the process in the background reads a file of that name through a map.
has_mapped() { grep -qsF -e "$1" "/proc/$pid/maps"; }

# has_open NAME: whether the process in the background has a file of that name open.
has_open() { find "/proc/$pid/fd" -lname "*/$1" 2>/dev/null | grep -q .; }

# has_head FILE: whether what stands before the first frame is written.
has_head() { [ "$(stat -c %s "$1")" -ge 12288 ]; }

# has_commit FILE [0|1]: whether an even (0) or an odd commit was made. Its hint page is written once it is durable
# (spec/SPEC.md, section 2.3).
has_commit() { [ "$(dd if="$1" bs=8 skip=$((512 + 512 * ${2:-0})) count=1 2>/dev/null | tr -d '\0')" = AIMGHINT ]; }

# start ARGUMENTS...: in the background; standard error to ./background.
start() {
    "$AIMG" pack "$@" >out 2>background </dev/null &
    pid=$!
}

ended() {
    wait "$pid" 2>/dev/null
    status=$?
}
