#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# heddle run --strategy bounded, as scripts use it.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

claimed=scenarios/dragonfly/claimed_mask_deadlock.lua
knock=scenarios/dragonfly/lost_knock.lua
XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME

# The value of a field of the first JSON line of a kind in $out.
bounded() { # PREEMPTIONS STORES INTERRUPTS
    echo "bounded,preemptions=$1,stores=$2,interrupts=$3"
}

# Two cpus that have claimed each other's mail hang without a preemption...
expect 0 heddle run --case 1 --strategy "$(bounded 0 0 0)" --json $claimed
ok "the hang is found" same "$(field finding verdict)" livelock
trace=$(field finding trace)
digest=$(field finding digest)
replay=$(grep '"kind":"finding"' "$out" |
    sed -n 's/.*"replay":"heddle \([^"]*\)".*/\1/p')
expect 0 heddle replay "$trace" --json
ok "its trace gives the digest" same "$(field run digest)" "$digest"
# shellcheck disable=SC2086 # the command is made of words
expect 0 heddle $replay --json
ok "so does its number in the search" same "$(field run digest)" "$digest"

# ... and the corrected form hangs in no schedule with one.
expect 0 heddle run --case 2 --strategy "$(bounded 1 0 0)" $claimed
ok "never is known from all schedules" \
    grep -q 'never (stuck) *exhaustive, [0-9]* runs' "$out"
ok "the bounds are told" grep -q 'exhaustive within 1 preemption, 0' "$out"
expect 0 heddle run --case 2 --strategy "$(bounded 1 0 0)" --json $claimed
ok "and in JSON" grep -q '"how":"exhaustive".*"complete":true' "$out"

# Rules see what is touched although all memory is watched anyway.
expect 0 heddle run --case 1 --strategy "$(bounded 2 0 0)" \
    scenarios/dragonfly/sync_reads_dead_frame.lua
ok "a rule is broken in all schedules" grep -q ' exhaustive, ' "$out"

# A cpu that is interrupted at a function's entry is inside once, not twice.
expect 0 heddle run --case 2 --strategy "$(bounded 1 0 1)" \
    scenarios/dragonfly/nowait_never_waits.lua
ok "a region is left that was entered before an interrupt" \
    grep -q ' exhaustive, ' "$out"

expect 0 heddle run --case 1 --strategy "$(bounded 1 0 0)" \
    scenarios/dragonfly/critical_section_promises.lua
ok "so is one from the return of a function to the entry of another" \
    grep -q 'never.* exhaustive, ' "$out"

# A search that was not finished says so.
expect 0 heddle run --case 1 --runs 500 --strategy "$(bounded 2 1 0)" $knock
ok "what is not known from all schedules is sampled" \
    grep -q 'never (lost_message) *sampled, 500 runs' "$out"
ok "what remains is guessed" grep -q 'not all within 2 preempt' "$out"

# The smallest bounds that show a bug are the ones that the argument gives.
expect 1 heddle run --case 4 --strategy "$(bounded 1 1 0)" $knock
ok "a missed knock is impossible with one preemption" \
    grep -q 'impossible: in none of all' "$out"

expect 2 heddle run --strategy bounded,preemptions=9 $knock
ok "the message says what is allowed" grep -q 'preemptions=7' "$err"

tap_end
