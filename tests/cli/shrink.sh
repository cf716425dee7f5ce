#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# heddle shrink: what it finds can be replayed, and shows itself.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

kernel=../shared/dragonfly/lwkt_ipiq.c
XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME

last() { # NAME: a field of the last line of $out
    tail -1 "$out" | value "$1"
}

less() { [ -n "$1" ] && [ "$1" -lt "$2" ]; }

# shrinks WHAT SWITCHES ARGUMENT...: the run shrinks to so many switches or
# fewer, its trace replays, its scenario shows it, and both say the same.
shrinks() {
    what=$1 most=$2
    shift 2
    expect 0 heddle shrink --json "$@"
    digest=$(last digest) verdict=$(last verdict)
    trace=$(last trace) replica=$(last lua)
    after=$(tail -1 "$out" | sed -n 's/.*"after":{"switches":\([0-9]*\).*/\1/p')
    ok "$what: it is minimal" same "$(last minimal)" true
    ok "$what: it has $most switches at most" less "$after" $((most + 1))
    expect 0 heddle replay --json "$trace"
    ok "$what: the trace replays" same "$(last digest)" "$digest"
    case $* in *--ipiq*) source="--ipiq $kernel" ;; *) source= ;; esac
    # shellcheck disable=SC2086 # two words, or none
    expect 0 heddle run --json $source "$replica"
    ok "$what: one run shows it" same 0 \
        "$(grep '"kind":"claim"' "$out" | grep -vc '"runs":1[,}]')"
    # shellcheck disable=SC2086
    expect 0 heddle run --json --seed 9 $source "$replica"
    grep '"kind":"run"' "$out" >"$tmp/run" && mv "$tmp/run" "$out"
    ok "$what: its verdict is $verdict" same "$(last verdict)" "$verdict"
}

claimed=scenarios/dragonfly/claimed_mask_deadlock.lua
shrinks "two claims" 8 --case 1 --seed 2 $claimed
ok "a deadlock of two cpus is said in one command" \
    [ "$(sed '1,/^function schedule/d; /^end/,$d' "$replica" |
        wc -l)" -eq 1 ]
shrinks "of a trace" 8 "$trace"
[ ! -f $kernel ] || shrinks "the kernel's file" 8 --ipiq $kernel --case 1 \
    --seed 2 $claimed

# A finding of weak memory keeps the store that is late, and the load.
expect 0 heddle run -q --json --case 1 \
    scenarios/dragonfly/wakeup_before_sleep.lua
lost=$(grep '"kind":"finding"' "$out" | sed 's/.*"trace":"\([^"]*\)".*/\1/')
shrinks "a late store" 4 "$lost"
ok "the store drains after the other cpu has looked" \
    awk '/run\(0\)/ { ran = 1 } /drain\(1\)/ { bad = !ran }
        END { exit bad || !ran }' "$replica"
expect 0 heddle run -q --json --case 4 \
    scenarios/dragonfly/slot_read_order.lua
slot=$(grep '"kind":"finding"' "$out" | sed 's/.*"trace":"\([^"]*\)".*/\1/')
shrinks "a late load" 20 "$slot"
ok "the late load is said" grep -q '^  late(' "$replica"

# choose() of a storm becomes small; a broken `certain` becomes a `never`.
cat >"$tmp/storm.lua" <<EOT
scenario "a storm of increments loses one"
system "dragonfly" { cpus = 3 }
local n, sent = object "int", 0

-- Both count, and a third one does nothing that matters.
local function storm()
  for _ = 1, choose(6) do sent = sent + 1  increment(n) end
end
function cpu0() storm() end
function cpu1() storm() end
function cpu2() nop(nil, choose(100), nil) end

case "each is counted"
certain (function() return n[0] == sent end)  -- it is not

-- This comment is about the other case.
case "control: an atomic increment"
function cpu0() end
never (function() return n[0] ~= sent end)
EOT
expect 1 heddle run -q --json --case 1 "$tmp/storm.lua"
storm=$(grep '"kind":"finding"' "$out" | sed 's/.*"trace":"\([^"]*\)".*/\1/')
shrinks "a storm" 4 "$storm"
ok "the choices are in the scenario" grep -q '^local choices' "$replica"
ok "no choice is more than 1" \
    sh -c "! sed -n 's/^local choices.*{//p' '$replica' | grep -q '[2-9]'"
ok "comments about other cases are not" \
    sh -c "! grep -q 'the other case' '$replica'"
ok "what was certain is never so" grep -q '^never (function' "$replica"
ok "the calm way is its control" grep -q '^certain (function' "$replica"
ok "its lines have 80 columns" [ "$(awk 'length > 80' "$replica" |
    wc -l)" -eq 0 ]

# People read this.
expect 0 heddle shrink --case 1 --seed 2 $claimed
ok "it says what it took" grep -q '^shrunk   from .* in [0-9]* replays' "$out"
ok "it tells the story" grep -q '^FOUND    livelock' "$out"
ok "it says how to replay it" grep -q '^replay   heddle replay .*trace' "$out"

# What cannot be.
expect 2 heddle shrink --case 1 --seed 1 $claimed
ok "a run without a finding: it says so" grep -q 'found nothing' "$err"
expect 2 heddle shrink --case 9 --seed 1 $claimed
ok "no such case: the message says how many" grep -q 'there are 2' "$err"
expect 2 heddle shrink --seed 1 $claimed
expect 2 heddle shrink $claimed
ok "no seed: the message says what is wanted" grep -q -- '--seed' "$err"
expect 2 heddle shrink "$tmp/none.trace"
sed "s/^\\(tape ....\\)..../\\1/" "$trace" >"$tmp/damaged"
expect 2 heddle shrink "$tmp/damaged"
ok "a damaged trace: the message names it" grep -q "$tmp/damaged" "$err"
sed "s/^image .*/image 0123456789abcdef/" "$trace" >"$tmp/other"
expect 2 heddle shrink "$tmp/other"
ok "another guest: the message says so" grep -q 'another guest' "$err"

# A case that directs itself has no other scenario; it shrinks nevertheless.
cat >"$tmp/directed.lua" <<EOT
scenario "directed" system "dragonfly" { cpus = 2 }
local n = object "int"
function cpu0() increment(n) end
function cpu1() increment(n) end
case "cpu1 comes in between"
function schedule() run_to(0, increment) step(0) run(1) end
possible (function() return n[0] == 1 end)
EOT
expect 0 heddle shrink --seed 1 "$tmp/directed.lua"
ok "a directed case: it says why" grep -q 'schedule() of its own' "$out"
tap_end
