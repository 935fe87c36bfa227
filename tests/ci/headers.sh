#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# headers.sh ROOT CC: the public header compiles by itself, as C99, as C11 and as C++, with every warning an error.
set -euo pipefail
root=$1 cc=$2
include=$root/libarchive-img/include
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Twice: the include guard works. A use: the declarations are complete.
cat >"$scratch/use.c" <<'TEXT'
#include <aimg/aimg.h>
#include <aimg/aimg.h>
const char *use(struct aimg_error *error);
const char *use(struct aimg_error *error) { return aimg_status_text(error->status); }
TEXT
cp "$scratch/use.c" "$scratch/use.cc"

warnings=(-Wall -Wextra -pedantic -Wshadow -Wundef -Wstrict-prototypes -Werror)
for standard in c99 c11 c17; do
    "$cc" -std=$standard "${warnings[@]}" -I"$include" -fsyntax-only "$scratch/use.c"
    clang-14 -std=$standard "${warnings[@]}" -I"$include" -fsyntax-only "$scratch/use.c"
done
for standard in c++11 c++17 c++20; do
    clang++-14 -std=$standard -nostdinc++ -Wall -Wextra -pedantic -Werror -I"$include" -fsyntax-only "$scratch/use.cc"
done

# Every word that the header brings into a program begins with aimg_ or AIMG_.
foreign=$("$cc" -std=c11 -E -dM -include aimg/aimg.h -I"$include" -x c /dev/null | awk '{print $2}' | sed 's/(.*//' | sort -u |
    comm -23 - <(printf '#include <stddef.h>\n#include <stdint.h>\n' | "$cc" -std=c11 -E -dM -x c - | awk '{print $2}' |
        sed 's/(.*//' | sort -u) | grep -v '^AIMG_' || true)
if [ -n "$foreign" ]; then
    printf 'aimg/aimg.h defines macros outside its own name space: %s\n' "$foreign" >&2
    exit 1
fi
