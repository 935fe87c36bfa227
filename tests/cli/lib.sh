# SPDX-License-Identifier: Apache-2.0
# For the scripts beside it, which source it first and end with `finish`. AIMG is the program under test.
# The working directory is a scratch directory that goes away at the end. A check that fails says so and the script goes on.

set -u
: "${AIMG:?set it to the path of the aimg program}"
AIMG=$(realpath "$AIMG")
unset AIMG_DEBUG SOURCE_DATE_EPOCH
export LC_ALL=C.UTF-8 TZ=UTC
umask 022

test_name=$(basename "$0")
test_source=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/aimg-cli.XXXXXX")
trap 'chmod -R u+rwx "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

passed=0
failed=0

# Whether the tool is built with a sanitizer: it takes memory of its own, and each process ten times as long.
sanitized() { grep -qaE '__asan_init|__tsan_init' "$AIMG"; }

pass() { passed=$((passed + 1)); }

# fail WHAT [FILE...]: the files are shown.
fail() {
    failed=$((failed + 1))
    # The line of the script, whichever function of this file it came through.
    local depth=0
    while [ $((depth + 1)) -lt ${#BASH_SOURCE[@]} ] && [ "${BASH_SOURCE[depth + 1]}" = "${BASH_SOURCE[0]}" ]; do
        depth=$((depth + 1))
    done
    echo "$test_name:${BASH_LINENO[depth]}: $1"
    shift
    for file in "$@"; do sed 's/^/    /' "$file" | head -20; done
}

# Runs the tool as it is called; standard output goes to ./out, standard error to ./err, the exit status to $status.
run() {
    timeout -k 5 60 "$@" >out 2>err </dev/null
    status=$?
}

# expect_exit STATUS COMMAND...: runs it and compares the exit status. 124 would be a hang, 128 and more a crash.
expect_exit() {
    local wanted=$1
    shift
    run "$@"
    if [ "$status" = "$wanted" ]; then pass; else fail "exit $status, expected $wanted: ${*##*/}" out err; fi
}

# with_shim NAME=VALUE... COMMAND...: runs it with write_shim.c preloaded; see there for the names.
with_shim() {
    run env ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD="$WRITE_SHIM" "$@"
}

# expect_shim STATUS NAME=VALUE... COMMAND...: the same, and compares the exit status.
expect_shim() {
    local wanted=$1
    shift
    with_shim "$@"
    if [ "$status" = "$wanted" ]; then pass; else fail "exit $status, expected $wanted: ${*: -3}" out err; fi
}

# wait_until COMMAND...: until it succeeds, for at least a minute: long enough for a sanitizer on a busy machine.
wait_until() {
    for _ in $(seq 6000); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.01
    done
    return 1
}

# expect_no_room ARCHIVE ARGUMENTS...: the tool cannot write behind the end of the archive, rounded down to a kibibyte.
expect_no_room() {
    local room=$(($(stat -c %s "$1") / 1024))
    shift
    expect_exit 3 bash -c "trap '' XFSZ; ulimit -f $room; exec \"\$@\"" bash "$AIMG" "$@"
}

# hold_lock ARCHIVE: a process that holds its lock as a writer does, in $holder.
hold_lock() {
    rm -f held
    "${AIMG_PYTHON:-python3}" -c 'if True:
        import fcntl, sys, time
        archive = open(sys.argv[1], "r+b")
        fcntl.lockf(archive, fcntl.LOCK_EX, 1)
        open("held", "w")
        time.sleep(600)' "$1" &
    holder=$!
    wait_until test -e held || fail "$1 was not locked"
}

# expect_ended_at_pipe PIPE COMMAND...: while it reads PIPE, which gives nothing, a signal ends it at once.
expect_ended_at_pipe() {
    local pipe=$1 pid
    shift
    mkfifo "$pipe"
    "$@" >out 2>err </dev/null &
    pid=$!
    # To open it waits for the reader.
    timeout 60 bash -c 'exec >"$0"; kill -TERM $1' "$pipe" $pid || kill $pid
    wait $pid 2>/dev/null
    status=$?
    rm "$pipe"
    if [ "$status" = 143 ]; then pass; else fail "exit $status, expected 143: ${*##*/}" out err; fi
}

# expect_contains FILE TEXT: a fixed text.
expect_contains() {
    if grep -qF -e "$2" "$1"; then pass; else fail "'$2' is not in $1:" "$1"; fi
}

expect_lacks() {
    if grep -qF -e "$2" "$1"; then fail "'$2' should not be in $1:" "$1"; else pass; fi
}

expect_lines() {
    local lines
    lines=$(wc -l <"$1")
    if [ "$lines" -eq "$2" ]; then pass; else fail "$1 has $lines lines, expected $2:" "$1"; fi
}

# expect_same FILE FILE: byte for byte; directories with all that is below them.
expect_same() {
    if diff -r "$1" "$2" >difference 2>&1; then pass; else fail "$1 and $2 differ:" difference; fi
}

expect_equal() {
    if [ "$1" = "$2" ]; then pass; else fail "'$1', expected '$2'"; fi
}

# expect_true WHAT COMMAND...
expect_true() {
    local what=$1
    shift
    if "$@" >/dev/null 2>&1; then pass; else fail "$what"; fi
}

expect_false() {
    local what=$1
    shift
    if "$@" >/dev/null 2>&1; then fail "$what"; else pass; fi
}

# make_picture FILE WIDTH HEIGHT [TEXT]: a grey picture whose pixels repeat TEXT.
make_picture() {
    mkdir -p "$(dirname "$1")"
    { printf 'P5\n%d %d\n255\n' "$2" "$3"; yes "${4:-$1}" | tr -d '\n' | head -c $(($2 * $3)); } >"$1"
}

# json FILE EXPRESSION: prints the value of a Python expression over the object `o`.
json() {
    "${AIMG_PYTHON:-/usr/bin/python3}" -c 'import json, sys; o = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"
}

# value_of ARCHIVE IMAGE COLUMN: as Python shows it
value_of() {
    "$AIMG" info --json "$1" "$2" >info.json
    json info.json "o['columns']['$3']"
}

# Whether a disk of a size of its own may be mounted on the folder disk.
may_mount() { unshare -m mount -t tmpfs none disk 2>/dev/null; }

# skip WHAT_AND_WHY: for a part of a script; ./dev test counts and shows it (tests/ci/results.py).
skip() { echo "$test_name: skipped: $1"; }

finish() {
    echo "$test_name: $passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}
