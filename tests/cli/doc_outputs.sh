#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What README.md and SCENARIOS.md quote is what heddle says: every quoted line
# is a line of its output, but for digests, folders and lines of sources.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME

# Blocks of FILE: the Nth that begins with a command is $tmp/N.block, what it is
# run on is the last Lua before it, $tmp/N.lua.
blocks() {
    awk -v tmp="$tmp" '
        /^```/ && inside { inside = 0; close(file); next }
        /^```/ { inside = 1; first = 1; lua = /lua/; file = "/dev/null"; next }
        inside && first {
            first = 0
            if (lua && /^scenario/)
                file = tmp "/last.lua"
            else if (/^\$ build\/heddle /) {
                file = tmp "/" ++n ".block"
                system("cp " tmp "/last.lua " tmp "/" n ".lua 2>/dev/null")
            }
            printf "" >file
        }
        inside { print >file }' "$1"
}

# The same whatever was built, and wherever.
plain() {
    sed -e '/^digest /d' -e '/^\.\.\.$/d' -e '/^$/d' \
        -e 's/-[0-9a-f]\{16\}\././' -e 's,[^ ]*/,,g' \
        -e 's/\(\.[chS]\):[0-9]*/\1:N/g'
}

# check FILE: the commands that name one scenario, and say what comes.
check() {
    rm -f "$tmp"/*.block "$tmp"/*.lua
    blocks "$1"
    for block in "$tmp"/*.block; do
        words=$(sed -n '1s/^\$ build.heddle //p' "$block")
        case $words in
        *'*'* | *PATH* | litmus*) continue ;;
        *locks.lua*)
            # Where it is wrong on purpose doc_examples.sh looks.
            ! grep -q '^heddle: ' "$block" || continue
            cp "${block%.block}.lua" "$tmp/locks.lua"
            words=$(echo "$words" | sed "s,locks.lua,$tmp/locks.lua,")
            ;;
        esac
        sed 1d "$block" | plain >"$tmp/wanted"
        # shellcheck disable=SC2086 # they are words
        heddle $words >"$out" 2>&1
        plain <"$out" | sort -u >"$tmp/said"
        sort -u "$tmp/wanted" | comm -23 - "$tmp/said" >"$tmp/missing"
        ok "$1: $words" [ ! -s "$tmp/missing" ]
        sed 's/^/# not said: /' "$tmp/missing"
    done
}
check README.md
check doc/SCENARIOS.md

tap_end
