# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Writing RESULTS.md, a section at a time, so that a new run keeps what the comparison with the yardsticks has shown. Needs $root.

results=$root/tests/bench/RESULTS.md

# Name of the commit that is measured.
bench_commit() {
    local name changes
    name=$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null) || name='none yet'
    changes=$(git -C "$root" status --porcelain -- format libarchive-img tools 2>/dev/null)
    [ -z "$changes" ] || name+=' with changes'
    printf '%s' "$name"
}

# old_section NAME: what stands now between its marks.
old_section() {
    [ ! -f "$results" ] || sed -n "/^<!-- begin $1 -->\$/,/^<!-- end $1 -->\$/p" "$results" | sed '1d;$d'
}

# write_results NAME FILE: puts FILE in the place of the section.
write_results() {
    local section text
    text=$(
        printf '# Results\n\nWritten by `./dev bench full` and `tests/bench/yardstick.sh`; do not edit. '
        printf 'What is measured, and how: [README.md](README.md).\n\n'
        for section in run yardstick; do
            printf '<!-- begin %s -->\n' "$section"
            if [ "$section" = "$1" ]; then cat "$2"; else old_section "$section"; fi
            printf '<!-- end %s -->\n' "$section"
        done
    )
    printf '%s\n' "$text" >"$results.new"
    mv "$results.new" "$results"
}
