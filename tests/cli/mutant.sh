#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# --mutant: a finding of a damaged guest can be made again.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME

field() { # FIELD: its value in the last JSON line in $out
    tail -1 "$out" | sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}
same() { [ -n "$1" ] && [ "$1" = "$2" ]; }

full=scenarios/dragonfly/fifo_full_mutual.lua
expect 0 heddle run -q --case 1 --runs 50 $full
expect 1 heddle run -q --case 1 --mutant no_drain $full
expect 1 heddle run --case 1 --mutant no_drain $full
ok "the replay line names the mutant" \
    grep -q '^replay .* --seed [0-9]* --mutant no_drain$' "$out"
expect 1 heddle run --json --case 1 --mutant no_drain $full
grep '"kind":"finding"' "$out" >"$tmp/finding" && cp "$tmp/finding" "$out"
digest=$(field digest) seed=$(field seed) trace=$(field trace)
expect 0 heddle replay --json --case 1 --seed "$seed" --mutant no_drain $full
ok "the seed makes the same run" same "$(field digest)" "$digest"
expect 0 heddle replay --json "$trace"
ok "the trace knows the mutant" same "$(field digest)" "$digest"
expect 0 heddle replay --verify "$trace"

expect 0 heddle shrink --json "$trace"
replica=$(field lua)
ok "the shrunk scenario has it as its own" \
    grep -q '^mutant { "no_drain" }$' "$replica"
expect 0 heddle run -q "$replica"

expect 1 heddle explore --json --case 1 --runs 20 --mutant no_drain $full
ok "explore tells how to replay what it found" \
    grep -q '"replay":"[^"]*\(--mutant no_drain\|\.trace\)' "$out"

# A case that has it already is as it was.
expect 0 heddle run -q --case 2 --mutant no_drain $full
expect 0 heddle run --json --case 2 --mutant no_drain $full
ok "and its replay needs no option" \
    sh -c '! grep -q -e "--mutant" "$1"' sh "$out"

expect 2 heddle run --mutant no_dran $full
ok "a wrong name gets advice" \
    grep -q -e '--mutant: .* did you mean "no_drain"?' "$err"
expect 2 heddle run --mutant no_drain scenarios/bare/store_buffering.lua
ok "a system without mutants says so" grep -q 'there are none' "$err"
tap_end
