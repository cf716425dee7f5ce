#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The examples of the documentation do what the page says.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"
tab=$(printf '\t')

# examples PAGE: run all of its marked blocks.
examples() {
    ok "$1: every example is marked" \
        lua5.4 tests/cli/doc_examples.lua "$1" "$tmp" >"$tmp/list"
    sed '/^[0-9]/!d' "$tmp/list" >"$tmp/examples"
    sed '/^[0-9]/d' "$tmp/list"
    while IFS=$tab read -r line status text; do
        heddle run --traces "$tmp/traces" "$tmp/$line.lua" \
            </dev/null >"$out" 2>"$err"
        got=$?
        ok "$1:$line: exit $status" [ "$got" -eq "$status" ]
        [ "$got" -eq "$status" ] || sed 's/^/# /' "$out" "$err"
        [ -z "$text" ] ||
            ok "$1:$line: says what is wrong" grep -qF -e "$text" "$err"
    done <"$tmp/examples"
}

examples doc/SCENARIOS.md
ok "there were some" [ "$tap_count" -gt 10 ]
[ ! -f README.md ] || examples README.md

tap_end
