# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Pieces that all verbs of ./dev share: what is printed, what is installed, what is built. Needs $root.

export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
export PATH="/usr/sbin:/usr/bin:/sbin:/bin:$PATH" # Debian's own tools before those of version managers
unset CDPATH CFLAGS CPPFLAGS LDFLAGS
build=$root/build
jobs=$(nproc)

base_packages=(gcc libc6-dev cmake ninja-build pkg-config libzstd-dev libxxhash-dev libjansson-dev libcsv-dev)
base_packages+=(python3 python3-numpy python3-pil) # the sample of the demo
test_packages=(clang-14 libclang-rt-14-dev gcovr locales mandoc zstd xxhash strace python3-xxhash python3-zstandard)
test_packages+=(python3-pip) # what Debian does not have: kaitai.sh
test_packages+=(libavif-bin libheif-examples libjxl-tools libopenjp2-tools) # encoders whose pictures must be recognised
fuzz_packages=(afl++) # for ./dev fuzz --afl
bench_packages=(liblmdb-dev libsqlite3-dev libhdf5-dev libzip-dev liburing-dev zip zstd)

# ------------------------------------------------------------------ output

if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi

heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }

say() { printf '   %s\n' "$*"; }

fail() {
    printf 'dev: %s\n' "$*" >&2
    exit 1
}

now_us() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

# seconds SINCE_US: "1.2 s"
seconds() {
    local us=$(($(now_us) - $1))
    printf '%d.%d s' $((us / 1000000)) $((us / 100000 % 10))
}

# Paths below the checkout are shown from there while that is where one stands.
shown_root=''
[ "$(pwd -P)" != "$root" ] || shown_root=$root/
shown() { printf '%s' "${1/#"$shown_root"/}"; }

# Command line as one could type it.
show_command() {
    local word text=''
    for word in "$@"; do
        word=$(shown "$word")
        case $word in
            '' | *[!A-Za-z0-9_./,:=@%+-]*) word="'${word//\'/\'\\\'\'}'" ;;
        esac
        text+=" $word"
    done
    printf '%s' "${text# }"
}

# quiet LABEL COMMAND...: one line, with the time; the output goes to a log that is shown when the command fails.
quiet() {
    local label=$1 log begin code=0
    shift
    log=$build/log/$(printf '%s' "$label" | tr -c 'A-Za-z0-9' '-').log
    mkdir -p "$build/log"
    begin=$(now_us)
    "$@" >"$log" 2>&1 </dev/null || code=$?
    if [ "$code" = 0 ]; then
        printf '   %-52s %10s\n' "$label" "$(seconds "$begin")"
        return 0
    fi
    printf '   %-52s %10s  FAILED (exit %s)\n' "$label" "$(seconds "$begin")" "$code"
    printf '   the end of %s:\n' "$log"
    tail -n 60 "$log" | sed 's/^/     | /'
    return "$code"
}

# ------------------------------------------------------------------ packages

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        return 127
    fi
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Puts those of the packages in $missing that are not there.
find_missing() {
    local package
    missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
}

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"; }

need_packages() {
    heading "Packages"
    if ! command -v dpkg-query >/dev/null; then
        say "this is not a Debian system; going on in the hope that these are there: $*"
        return 0
    fi
    find_missing "$@"
    if [ ${#missing[@]} = 0 ]; then
        say "all $# are there"
        return 0
    fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        fail "these packages are missing, and there is no sudo to install them with; as root: apt-get install ${missing[*]}"
    fi
    # Asked first without a password: `sudo -v` wants one of everybody who needs one for any command.
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || sudo -v || fail "sudo said no; as root: apt-get install ${missing[*]}"
    say "missing: ${missing[*]}"
    quiet "apt-get update" apt_get update || fail "the package lists cannot be fetched; is there a network?"
    quiet "apt-get install" apt_get install --no-install-recommends "${missing[@]}" ||
        fail "installing failed; by hand: apt-get install ${missing[*]}"
    find_missing "$@"
    [ ${#missing[@]} = 0 ] || fail "apt-get said it was done, but these are still missing: ${missing[*]}"
}

# ------------------------------------------------------------------ building

# configure PRESET: only when it was never done, or the presets changed, or the checkout was moved. The rest ninja knows itself.
configure() {
    local preset=$1 dir=$build/$1 home=''
    [ ! -f "$dir/CMakeCache.txt" ] || home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$dir/CMakeCache.txt")
    if [ "$home" = "$root" ] && [ "$dir/.configured" -nt "$root/CMakePresets.json" ]; then
        return 0
    fi
    [ ! -e "$dir" ] || [ -w "$dir" ] || fail "$dir belongs to another user; remove it or run as that user"
    rm -f "$dir/.configured"
    quiet "configure $preset" cmake -S "$root" --preset "$preset" --fresh || return 1
    touch "$dir/.configured"
}

# build_preset PRESET [TARGET...]
build_preset() {
    local preset=$1 targets=()
    shift
    [ $# = 0 ] || targets=(--target "$@")
    configure "$preset" || return 1
    quiet "build $preset" cmake --build "$build/$preset" "${targets[@]}"
}

build_release() {
    heading "Build"
    build_preset release || fail "the release build failed"
}

# ------------------------------------------------------------------ tests

passed=0 failed=0 skipped=0
failures=()

# What every process of the tests gets: errors of the sanitizers end the program, an allocation that is too large returns NULL.
export ASAN_OPTIONS=allocator_may_return_null=1:strict_string_checks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1

count_pass() { passed=$((passed + 1)); }

count_failure() {
    failed=$((failed + 1))
    failures+=("$1")
}

# run_tests PRESET [CTEST ARGUMENTS]: adds to the sums; shows the output of tests that failed, and why others skipped.
run_tests() {
    local preset=$1 begin code=0 good=0 bad=0 missed=0
    shift
    local log=$build/log/tests-$preset.log report=$build/log/tests-$preset.xml results=$build/log/tests-$preset.txt
    rm -f "$report"
    begin=$(now_us)
    ctest --test-dir "$build/$preset" -j "$((jobs + 1))" --timeout 300 --no-tests=error --output-on-failure \
        --output-junit "$report" "$@" >"$log" 2>&1 </dev/null || code=$?
    python3 "$root/tests/ci/results.py" "$report" >"$results" 2>>"$log" && read -r good bad missed <"$results" || code=1
    if [ "$code" != 0 ] && [ "$bad" = 0 ]; then
        bad=1
        printf 'FAILED ctest itself\n' >>"$results"
    fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + missed))
    printf '   %-52s %10s\n' "tests ($preset): $good passed, $bad failed, $missed skipped" "$(seconds "$begin")"
    sed -n 's/^skipped /     skipped: /p' "$results"
    [ "$bad" != 0 ] || return 0
    failures+=("$(sed -n "s/^FAILED \(.*\)/\1 ($preset)/p" "$results")")
    printf '   from %s:\n' "$log"
    grep -vE '^ +Start +[0-9]+:|\.\.\. +Passed +[0-9.]+ sec$' "$log" | tail -n 200 | sed 's/^/     | /'
    return 1
}

# build_and_test PRESET [CTEST ARGUMENTS]
build_and_test() {
    local preset=$1
    shift
    if build_preset "$preset"; then
        count_pass
    else
        count_failure "build $preset"
        return 1
    fi
    run_tests "$preset" "$@"
}

# The last line; false when anything failed.
sum_up() {
    local failure
    printf '\n'
    for failure in "${failures[@]}"; do
        [ -z "$failure" ] || printf '%s\n' "$failure" | sed 's/^/FAILED: /'
    done
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# ------------------------------------------------------------------ figures

# write_reliability: tests/RELIABILITY.md from the figures.
write_reliability() { python3 "$root/tests/ci/reliability.py" "$root"; }

# keep_figures TOPIC COMMAND FILE: what a run has told in FILE, as tests/reliability/TOPIC.json, and on the page made of it. Short
# runs do not come here: they would take the place of long ones.
keep_figures() {
    python3 "$root/tests/ci/figures.py" "$@" && write_reliability || return 1
    say "figures: $(shown "$root/tests/reliability/$1.json")"
}
