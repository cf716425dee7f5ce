#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Campaigns that are killed again and again, the whole and single workers, end
# with the runs and the findings of one that nobody touched.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

claimed=scenarios/dragonfly/claimed_mask_deadlock.lua
runs=${EXPLORE_KILL_RUNS:-12000}
kills=${EXPLORE_KILLS:-12}
XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME

# What the search found, without what counts and where files are.
findings() { # STORE
    heddle merge --json "$1" | grep '"kind":"finding"' |
        sed 's/"trace":"[^"]*"//; s/"shrunk":[^,]*//
             s/"lua":[^,]*//' | sort
}

field() { # STORE FIELD
    heddle merge --json "$1" | grep '"kind":"campaign"' |
        sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}

# Not a function of the shell: in the background that would be a process more,
# and the wrong one would be killed.
explore="$HEDDLE explore --json --case 1 --runs $runs $claimed"

# A fraction of a second that differs from one time to the next.
nap() { # NUMBER
    sleep "0.$((($1 * 7 + 3) % 6))$((($1 * 37 + 11) % 10))"
}

# shellcheck disable=SC2086 # words on purpose, here and below
expect 1 $explore --store "$tmp/whole"
findings "$tmp/whole" >"$tmp/expected"
ok "there is something to find" [ -s "$tmp/expected" ]

# Everything that was announced must be in the store, whatever happened then.
announced() {
    sed -n 's/.*"kind":"finding".*"seed":\([0-9]*\),.*/\1/p' "$tmp/said" |
        sort -u
}
kept() {
    findings "$tmp/killed" | sed -n 's/.*"seed":\([0-9]*\),.*/\1/p' | sort -u
}

: >"$tmp/said"
lost=0
number=0
while [ $number -lt "$kills" ]; do
    # shellcheck disable=SC2086
    $explore --store "$tmp/killed" --resume --jobs 2 \
        </dev/null >>"$tmp/said" 2>>"$err" &
    pid=$!
    nap $number
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    number=$((number + 1))
    [ -s "$tmp/killed" ] || continue
    announced >"$tmp/announced"
    kept >"$tmp/kept"
    [ -z "$(comm -23 "$tmp/announced" "$tmp/kept")" ] || lost=$((lost + 1))
done
ok "killed $kills times: no announced finding was lost" [ $lost -eq 0 ]
# shellcheck disable=SC2086
expect 1 $explore --store "$tmp/killed" --resume
findings "$tmp/killed" >"$tmp/found"
ok "killed and resumed: the same findings" cmp "$tmp/expected" "$tmp/found"
ok "killed and resumed: all the runs, each once" \
    same "$(field "$tmp/killed" runs)" "$runs"
ok "no worker is left" [ -z "$(pgrep -f "$tmp/killed")" ]

# Until the campaign has made runs since: who is killed twice in one run has
# crashed.  PID STORE
go_on() {
    runs_before=$(field "$2" runs)
    while kill -0 "$1" 2>/dev/null &&
        [ "$(field "$2" runs)" = "$runs_before" ]; do
        sleep 0.05
    done
}

# Single workers: the campaign replaces them.
# shellcheck disable=SC2086
$explore --store "$tmp/maimed" --jobs 2 </dev/null >"$out" 2>"$err" &
pid=$!
number=0
while [ $number -lt "$kills" ] && kill -0 $pid 2>/dev/null; do
    nap $number
    worker=$(pgrep -P $pid | sed -n "$((number % 2 + 1))p")
    [ -z "$worker" ] || kill -9 "$worker" 2>/dev/null
    number=$((number + 1))
    go_on $pid "$tmp/maimed"
done
wait $pid
ok "workers killed: it ends as if nothing had been" [ $? -eq 1 ]
findings "$tmp/maimed" >"$tmp/found"
ok "workers killed: the same findings" cmp "$tmp/expected" "$tmp/found"
ok "workers killed: all the runs, each once" \
    same "$(field "$tmp/maimed" runs)" "$runs"
ok "workers killed: it says so" grep -q 'worker died' "$err"

# One that crashes in a run is a finding about heddle.
# shellcheck disable=SC2086
$explore --store "$tmp/crashed" </dev/null >"$out" 2>"$err" &
pid=$!
number=0
while ! grep -q 'left out' "$err" && [ $number -lt 20 ]; do
    nap $number # it may have been between two runs
    kill -SEGV "$(pgrep -P $pid)"
    number=$((number + 1))
done
wait $pid
ok "a crash: the campaign goes on" [ $? -eq 1 ]
ok "a crash is a finding" grep -q '"verdict":"heddle died".*signal 11' "$out"
ok "a crash: all the other runs are made" \
    same "$(field "$tmp/crashed" runs)" "$runs"

# The same, told to a person: runs that are too long for our patience.
cat >"$tmp/long.lua" <<'EOT'
scenario "a run without an end"
system "dragonfly" { cpus = 1 }
function cpu0() while true do nop(nil, 0, nil) end end
case "a"
possible (stuck)
EOT
expect 1 heddle explore "$tmp/long.lua" --runs 1 --patience 1s \
    --steps 1000000000 --store "$tmp/long"
ok "a run that is too long is told" grep -q '^finding  heddle died' "$out"

# One that hangs is noticed: a stopped process is as silent as an endless loop.
# shellcheck disable=SC2086
$explore --store "$tmp/hung" --patience 1s </dev/null >"$out" 2>"$err" &
pid=$!
sleep 0.3
kill -STOP "$(pgrep -P $pid)"
wait $pid
ok "a hang: the campaign goes on" [ $? -eq 1 ]
ok "a hang: it says so" grep -q 'worker hung' "$err"
findings "$tmp/hung" >"$tmp/found"
ok "a hang: the same findings" cmp "$tmp/expected" "$tmp/found"
ok "a hang: all the runs, each once" same "$(field "$tmp/hung" runs)" "$runs"

# The keyboard: a summary, and nothing is lost.
# shellcheck disable=SC2086
$explore --store "$tmp/stopped" </dev/null >"$out" 2>"$err" &
pid=$!
sleep 0.5
kill -INT $pid
wait $pid
ok "interrupted: exit 0 or 1" [ $? -le 1 ]
ok "interrupted: a summary" grep -q '"kind":"campaign"' "$out"
# shellcheck disable=SC2086
expect 1 $explore --store "$tmp/stopped" --resume
findings "$tmp/stopped" >"$tmp/found"
ok "interrupted and resumed: the same findings" \
    cmp "$tmp/expected" "$tmp/found"

tap_end
