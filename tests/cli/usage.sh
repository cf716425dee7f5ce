#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What heddle answers when it is not asked to do anything useful.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

expect 2 heddle
ok "no arguments: a message" [ -s "$err" ]
ok "no arguments: nothing on standard output" [ ! -s "$out" ]

expect 2 heddle unravel
ok "unknown command: the message names it" grep -q unravel "$err"
ok "unknown command: nothing on standard output" [ ! -s "$out" ]

expect 2 heddle --no-such-option
ok "unknown option: the message names it" grep -q no-such-option "$err"

expect 2 heddle run no_such_file.lua
ok "missing file: the message names it" grep -q no_such_file.lua "$err"

expect 0 heddle --version
ok "--version: heddle and a number" grep -q '^heddle [0-9]' "$out"
ok "--version: nothing on standard error" [ ! -s "$err" ]

expect 0 heddle --help
ok "--help: names the commands" grep -q replay "$out"
ok "--help: nothing on standard error" [ ! -s "$err" ]

expect 0 heddle run --help
ok "run --help: says how to call it" grep -q SCENARIO "$out"

for command in run explore merge replay show shrink audit litmus; do
    expect 0 heddle $command --help
    ok "$command --help fits 80 columns" \
        [ -z "$(awk 'length($0) > 80' "$out")" ]
done

# An option that a command would not heed is none of its options.
expect 2 heddle show --tap no_such_file.lua
ok "the message names the option" grep -q -e '--tap' "$err"
expect 2 heddle audit --memory tso no_such_file.lua
ok "the message names the option" grep -q -e '--memory' "$err"
for count in runs steps case; do
    expect 2 heddle run --$count 0 no_such_file.lua
    ok "--$count 0: says what is wanted" grep -q 'from 1 on' "$err"
done

tap_end
