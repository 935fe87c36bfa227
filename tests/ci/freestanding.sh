#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# freestanding.sh ROOT CC: format/ needs no operating system. It compiles freestanding, and its objects ask for nothing but each
# other, the four functions that every C compiler may call by itself, and xxHash.
set -euo pipefail
root=$1 cc=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for source in "$root"/format/*.c; do
    name=$(basename "$source" .c)
    "$cc" -std=c11 -O2 -ffreestanding -Wall -Wextra -Werror -I"$root/format" -DAIMG_X86_UNITS=0 \
        -c "$source" -o "$scratch/$name.o"
done

foreign=$(nm --undefined-only --format=posix "$scratch"/*.o | awk 'NF > 1 { print $1 }' | sort -u |
    grep -vE '^(aimg_[a-z0-9_]+|memcpy|memmove|memset|memcmp|XXH[A-Za-z0-9_]+|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail)$' || true)
if [ -n "$foreign" ]; then
    printf 'format/ calls what a freestanding program does not have: %s\n' $foreign >&2
    exit 1
fi

# Writable data would be global state.
state=$(nm --defined-only --format=sysv "$scratch"/*.o | tr -d ' ' |
    awk -F'|' '$7 ~ /^(\.(data|bss|tdata|tbss)(\.rel(\.local)?)?|\*COM\*)$/ { print $1 }')
if [ -n "$state" ]; then
    printf 'format/ has global state: %s\n' $state >&2
    exit 1
fi

foreign=$(grep -hoE '^#include [<"][^>"]+[>"]' "$root"/format/*.[ch] | sort -u |
    grep -vE '<(stdint|stddef|stdbool|stdalign|limits|string|xxhash|sys/platform/x86)\.h>' | grep -v '"' || true)
if [ -n "$foreign" ]; then
    printf 'format/ includes what a freestanding program does not have: %s\n' "$foreign" >&2
    exit 1
fi
for header in $(grep -hoE '^#include "[^"]+"' "$root"/format/*.[ch] | sed 's/.*"\(.*\)"/\1/' | sort -u); do
    [ -f "$root/format/$header" ] || { printf 'format/ includes "%s" from another folder\n' "$header" >&2; exit 1; }
done
