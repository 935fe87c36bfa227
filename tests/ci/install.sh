# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev install [PREFIX]

verb_install() {
    local prefix=${1:-/usr/local} run=()
    [ $# -le 1 ] || fail "install takes one prefix"
    case $prefix in
        /*) ;;
        *) prefix=$PWD/$prefix ;;
    esac
    need_packages "${base_packages[@]}"
    build_release
    heading "Install below $prefix"
    if ! can_write "$prefix"; then
        command -v sudo >/dev/null || fail "$prefix: not writable, and there is no sudo; run as root or give another prefix"
        run=(sudo)
    fi
    rm -f "$build/release/install_manifest.txt" # root's after an installation with sudo: then no one else can write it
    "${run[@]}" cmake --install "$build/release" --prefix "$prefix" | sed 's/^/   /'
    # Only a system-wide prefix is searched by the loader, and only root may tell it.
    case $prefix in
        /usr | /usr/local) as_root ldconfig && say "ldconfig: done" ;;
    esac
    say "try: $prefix/bin/aimg --version"
}

# Whether the nearest folder that is there can be written to.
can_write() {
    local place=$1
    while [ ! -e "$place" ]; do place=$(dirname "$place"); done
    [ -w "$place" ]
}
