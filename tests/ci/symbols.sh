#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# symbols.sh ROOT LIBRARY: the shared library exports exactly the functions of the public header, and keeps no global state.
set -euo pipefail
root=$1 library=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

nm --dynamic --defined-only --format=posix "$library" | awk '{ print $1 }' | sort -u >"$scratch/exported"
# A declaration begins with AIMG_API and ends with a semicolon; its name is the word before the first parenthesis.
tr '\n' ' ' <"$root/libarchive-img/include/aimg/aimg.h" | sed 's,/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/,,g' | tr ';' '\n' |
    sed -n 's/.*AIMG_API \(AIMG_MUST_CHECK \)\?[a-z0-9_ *]*\<\(aimg_[a-z0-9_]*\)(.*/\2/p' | sort -u >"$scratch/declared"

[ -s "$scratch/declared" ] || { printf 'no declarations found in aimg.h\n' >&2; exit 1; }
if ! diff "$scratch/declared" "$scratch/exported" >"$scratch/difference"; then
    printf 'aimg.h (<) and %s (>) differ:\n' "$library" >&2
    cat "$scratch/difference" >&2
    exit 1
fi

readelf -d "$library" | grep -q 'SONAME.*libarchive_img\.so\.[0-9]' || {
    printf '%s: no SONAME with a version\n' "$library" >&2
    exit 1
}

# Constant tables of pointers lie in .data.rel.ro. What the compiler's own start-up code brings does not count.
nm --defined-only --format=sysv "$library" | tr -d ' ' | awk -F'|' '$7 ~ /^\.(data|bss|tdata|tbss)$/ { print $1 }' |
    grep -vE '^(_|completed\.)' >"$scratch/state" || true
if [ -s "$scratch/state" ]; then
    printf 'the library has writable data, that is, global state:\n' >&2
    cat "$scratch/state" >&2
    exit 1
fi
