# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev cross [s390x|i386 ...]: the tests on a big-endian machine and on one of 32 bits. A cross compiler builds them; i386 is run
# by the processor, s390x by qemu. The libraries of the other machine are unpacked into build/cross: this system stays as it is.

cross_packages=(gcc-s390x-linux-gnu libc6-dev-s390x-cross gcc-i686-linux-gnu libc6-dev-i386-cross qemu-user-static)
cross_libraries=(libzstd-dev libzstd1 libxxhash-dev libxxhash0 libjansson-dev libjansson4 libcsv-dev libcsv3)
same_count=0

# Tests of the library, and of these not those in which a script starts the program, which it cannot where an emulator has to. The
# tool is run on vectors (vectors.check has the library read all of them), and beside the tool of this machine.
cross_tests='^(unit|api|vectors)[.]'
cross_skipped='^(unit[.]test_picture_|api[.]examples)'

verb_cross() {
    local arch
    [ $# -gt 0 ] || set -- s390x i386
    for arch in "$@"; do
        case $arch in
            s390x | i386) ;;
            *) fail "cross knows s390x and i386, not '$arch'" ;;
        esac
    done
    need_packages "${base_packages[@]}" "${test_packages[@]}" "${cross_packages[@]}"
    build_release
    for arch in "$@"; do
        heading "$arch"
        cross_root "$arch" || fail "the libraries of $arch cannot be fetched; is there a network?"
        if build_preset "$arch"; then
            run_tests "$arch" -R "$cross_tests" -E "$cross_skipped" || true
            cross_tool "$arch"
            [ "$failed" != 0 ] || cross_figures "$arch"
        else
            count_failure "build $arch"
        fi
    done
    sum_up
}

# What passed, into the figures that tests/RELIABILITY.md is made of.
cross_figures() {
    PYTHONPATH=$root/tests/ci python3 - "$1" "$build/log" "$same_count" <<'PYTHON'
import json, pathlib, sys
import figures

machine, log, same = sys.argv[1:]
path, log = figures.place_of("platforms"), pathlib.Path(log)
told = json.loads(path.read_text())["figures"] if path.exists() else {"machine": {}}
last = lambda name: int((log / f"{name}--{machine}-.log").read_text().split("\n")[-2].split()[0])
about = {"s390x": {"bits": 64, "byte_order": "big-endian", "run_by": "qemu"},
         "i386": {"bits": 32, "byte_order": "little-endian", "run_by": "the processor"}}
told["machine"][machine] = {
    **about[machine], "tests_passed": int((log / f"tests-{machine}.txt").read_text().split()[0]),
    "vectors_passed": last("vectors"), "writing_jobs_checked": last("writer"),
    "archives_of_the_same_bytes": int(same)}
figures.keep("platforms", "./dev cross", {"figures": told})
PYTHON
    write_reliability
}

# Unpacks the libraries of a machine, once.
cross_root() {
    local arch=$1 place=$build/cross/$1
    local options=(-q -y -o "Dir::State::Lists=$place/lists" -o "Dir::State::status=$place/status" -o "Dir::Cache=$place/cache"
        -o "Dir::Etc::sourcelist=$place/sources.list" -o Dir::Etc::sourceparts=- -o "APT::Architecture=$arch"
        -o "APT::Architectures=$arch" -o Debug::NoLocking=1 -o APT::Sandbox::User=)
    if [ -f "$place/root.complete" ]; then
        say "the libraries are there"
        return 0
    fi
    rm -rf "$place"
    mkdir -p "$place/lists/partial" "$place/cache/archives/partial" "$place/root"
    : >"$place/status"
    # shellcheck disable=SC1091 # for mirror
    . "$root/tests/ci/fresh.sh"
    printf 'deb %s bookworm main\n' "$(mirror)" >"$place/sources.list"
    quiet "package lists of $arch" apt-get "${options[@]}" update || return 1
    (cd "$place/cache" && quiet "libraries of $arch" apt-get "${options[@]}" download "${cross_libraries[@]}") || return 1
    local package
    for package in "$place"/cache/*.deb; do
        dpkg-deb -x "$package" "$place/root" || return 1
    done
    touch "$place/root.complete"
}

# The tool of that machine as a command, on vectors and beside the tool of this one.
cross_tool() {
    local arch=$1 tool=$build/$1/aimg-run
    printf '#!/bin/sh\nexec %s "%s" "$@"\n' \
        "$([ "$arch" = i386 ] || printf 'qemu-%s-static -L /usr/%s-linux-gnu' "$arch" "$arch")" "$build/$arch/tools/aimg" >"$tool"
    chmod +x "$tool"
    cross_check "vectors ($arch)" "$tool" run_vectors.py --every=4 "$build/$arch/vectors"
    cross_check "writer ($arch)" "$tool" run_writer.py "$root/spec/vectors" "$build/$arch/vectors" \
        "$build/$arch/written"
    cross_check "writer (here)" "$build/release/tools/aimg" run_writer.py "$root/spec/vectors" "$build/$arch/vectors" \
        "$build/$arch/written-here"
    cross_same "$arch"
}

# cross_check LABEL TOOL SCRIPT ARGUMENTS: a runner of tests/compat with that tool. The same date makes the same archive.
cross_check() {
    local label=$1 tool=$2 script=$3 log
    shift 3
    log=$build/log/$(printf '%s' "$label" | tr -c 'A-Za-z0-9' '-').log
    if SOURCE_DATE_EPOCH=1700000000 AIMG=$tool quiet "$label" python3 "$root/tests/compat/$script" "$@"; then
        count_pass
        say "  $(tail -n 1 "$log")"
    else
        count_failure "$label"
    fi
}

# What the tool of that machine wrote is, byte for byte, what the tool of this one writes of the same input.
cross_same() {
    local arch=$1 file count=0
    for file in "$build/$arch/written-here"/*.aimg; do
        if cmp "$file" "$build/$arch/written/$(basename -- "$file")"; then
            count=$((count + 1))
        else
            count_failure "$(basename -- "$file") differs ($arch)"
            return
        fi
    done
    same_count=$count
    say "  $count archives are the same bytes as those written here"
    [ "$count" -ge 4 ] && count_pass || count_failure "only $count archives compared ($arch)"
}
