#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# heddle explore and heddle merge, as scripts use them.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

claimed=scenarios/dragonfly/claimed_mask_deadlock.lua
XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME

# The value of a field of the first JSON line of a kind in $out.
# The findings of the last output, without what counts and where files are.
findings() {
    grep '"kind":"finding"' "$out" |
        sed 's/"trace":"[^"]*"//; s/"shrunk":[^,]*//
             s/"lua":[^,]*//; s/,"count":.*//' | sort
}

expect 1 heddle explore --case 1 --runs 300 --json $claimed
for name in scenario case verdict where seed digest replay trace; do
    ok "a finding has the field $name" [ -n "$(field finding $name)" ]
done
ok "it is the livelock" same "$(field finding verdict)" livelock
ok "the summary counts the runs" same "$(field campaign runs)" 300
trace=$(field finding trace)
digest=$(field finding digest)
ok "the trace is on disk" [ -s "$trace" ]
replay=$(grep '"kind":"finding"' "$out" | head -1 |
    sed -n 's/.*"replay":"heddle \([^"]*\)".*/\1/p')
# shellcheck disable=SC2086 # the command is made of words
expect 0 heddle $replay --json
ok "the replay command gives the digest" same "$(field run digest)" "$digest"

expect 0 heddle explore --case 2 --runs 200 $claimed
ok "the control: nothing found, and it says in what" \
    grep -q '200 runs (random' "$out"
expect 1 heddle explore --case 1 --runs 100 $claimed
ok "the story is told" grep -q 'cpu0  *cpu1' "$out"
ok "the old store was kept" [ -s "$tmp"/state/heddle/*-case1.1.store ]
expect 1 heddle explore -q --case 1 --runs 100 $claimed
ok "--quiet tells no story" [ "$(grep -c 'cpu0  *cpu1' "$out")" -eq 0 ]

# Bad options, and stores that do not fit.
expect 2 heddle explore --case 9 $claimed
expect 2 heddle explore --jobs 0 $claimed
expect 2 heddle explore --shard 3/2 $claimed
expect 2 heddle explore --shard 1 $claimed
expect 2 heddle explore --time 5x $claimed
ok "a bad time: says what is wanted" grep -q '5m' "$err"
expect 2 heddle explore --strategy best $claimed
expect 2 heddle explore --tap $claimed
expect 2 heddle explore "$tmp/none.lua"
expect 1 heddle explore -q --case 1 --runs 50 --store "$tmp/s" $claimed
expect 2 heddle explore -q --case 1 --runs 50 --store "$tmp/s" $claimed
ok "a store that is there: says --resume" grep -q -- --resume "$err"
expect 2 heddle explore -q --case 1 --seed 7 --resume --store "$tmp/s" $claimed
ok "a store of another search: says what differs" grep -q -- --seed "$err"
expect 1 heddle explore -q --case 1 --runs 80 --resume --store "$tmp/s" $claimed
ok "resumed: all runs are in the summary" grep -q ' 80 runs' "$out"
echo 'no store' >"$tmp/text"
expect 2 heddle explore -q --case 1 --runs 50 --resume --store "$tmp/text" \
    $claimed
ok "no store: says so" grep -q 'is no store' "$err"

# The same runs, the same findings.
expect 1 heddle explore --case 1 --runs 400 --json --store "$tmp/one" $claimed
findings >"$tmp/one.findings"
expect 1 heddle explore --case 1 --runs 400 --json --jobs 3 \
    --store "$tmp/three" $claimed
findings >"$tmp/three.findings"
ok "three jobs find what one does" cmp "$tmp/one.findings" "$tmp/three.findings"
for shard in 1 2 3; do
    expect 1 heddle explore -q --case 1 --runs 400 --shard $shard/3 \
        --store "$tmp/shard$shard" $claimed
done
expect 1 heddle merge --json -o "$tmp/merged" "$tmp/shard1" "$tmp/shard2" \
    "$tmp/shard3"
findings >"$tmp/merged.findings"
ok "three shards, merged, found what one search does" \
    cmp "$tmp/one.findings" "$tmp/merged.findings"
ok "merged: all the runs" same "$(field campaign runs)" 400
expect 1 heddle merge --json "$tmp/one"
findings >"$tmp/again.findings"
ok "one store is printed" cmp "$tmp/one.findings" "$tmp/again.findings"
expect 2 heddle merge "$tmp/shard1" "$tmp/shard1"
ok "the same runs twice: says so" grep -q 'twice' "$err"
expect 2 heddle merge "$tmp/text"
expect 2 heddle merge "$tmp/none"
expect 2 heddle merge
expect 2 heddle explore -q --case 1 --runs 50 --resume --store "$tmp/merged" \
    $claimed
ok "a merge is not resumed: says what to do" grep -q 'each shard' "$err"

if command -v parallel >/dev/null; then
    expect 1 env HEDDLE="$HEDDLE" scripts/explore-parallel 2 "$tmp/par" \
        $claimed --case 1 --runs 400
    heddle merge --json "$tmp/par" >"$out"
    findings >"$tmp/par.findings"
    ok "GNU parallel: two shards found what one search does" \
        cmp "$tmp/one.findings" "$tmp/par.findings"
else
    skip "GNU parallel" "it is not installed"
fi

# Every strategy's runs can be made again from their tapes.
for strategy in random pct pos surw urw fuzz; do
    expect 1 heddle explore -q --case 1 --runs 200 --strategy $strategy \
        --store "$tmp/$strategy" $claimed
    ok "$strategy: what it finds can be shrunk" \
        [ "$(grep -c 'cannot be shrunk' "$err")" -eq 0 ]
done

expect 1 heddle explore -q --case 1 --runs 400 --strategy fuzz --jobs 2 \
    --resume --store "$tmp/fuzz" $claimed
ok "fuzz goes on, with two jobs" grep -q ' 400 runs' "$out"

# A strategy that makes all runs there are, in several goes.
bounded=bounded,preemptions=0,stores=0,interrupts=1
expect 1 heddle explore --json --case 1 --strategy $bounded \
    --store "$tmp/all" $claimed
ok "bounded: it comes to an end, and says within what" \
    grep -q 'exhaustive within 0 preemptions' "$out"
findings >"$tmp/all.findings"
expect 0 heddle explore -q --case 1 --strategy $bounded --runs 3 \
    --store "$tmp/parts" $claimed
ok "bounded: three runs are not all" grep -q 'not all within' "$out"
expect 1 heddle explore --json --case 1 --strategy $bounded --resume \
    --store "$tmp/parts" $claimed
findings >"$tmp/parts.findings"
ok "bounded, resumed: exhaustive" grep -q 'exhaustive within' "$out"
ok "bounded, resumed: the same findings" \
    cmp "$tmp/all.findings" "$tmp/parts.findings"

# No room for the store: what fits is there, and the search goes on with it.
small() {
    (ulimit -f 16 && heddle explore -q --case 1 --runs 80 "$@")
}
expect 2 small --store "$tmp/small" $claimed
ok "no room: says so" grep -q 'is the disk full' "$err"
expect 1 heddle explore -q --case 1 --runs 80 --resume --store "$tmp/small" \
    $claimed
ok "no room: the search goes on" grep -q ' 80 runs' "$out"

# File names that a shell takes apart: what is printed can be typed.
odd="$tmp/it's \$odd; \"x\".lua"
cp $claimed "$odd"
expect 1 heddle explore --case 1 --runs 60 --store "$tmp/odd" "$odd"
grep -o 'heddle [a-z]* .*' "$out" | sort -u >"$tmp/commands"
ok "odd names: commands are printed" [ "$(wc -l <"$tmp/commands")" -ge 5 ]
while read -r _ words; do
    ok "odd names: $words" eval "heddle $words >/dev/null"
done <"$tmp/commands"
broken() {
    cp $claimed "$1" && heddle explore --case 1 --store "$tmp/odder" "$1"
}
two_lines() {
    broken "$tmp/two
lines.lua"
}
expect 2 two_lines
ok "a line break in a name: says so" grep -q 'line break' "$err"

# What is taken away is another search.
expect 2 heddle explore $claimed --case 1 --resume --runs 9 --store "$tmp/one" \
    --weaken lwkt_send_ipiq3+0xe1
ok "another --weaken: says so" grep -q -- '--weaken' "$err"

# A store that was damaged, anywhere.
size=$(wc -c <"$tmp/one")
for part in 1 2 3 4 5 6; do
    cp "$tmp/one" "$tmp/damaged"
    yes damage | dd of="$tmp/damaged" bs=1 count=700 conv=notrunc \
        seek=$((size * part / 7)) 2>/dev/null
    heddle merge "$tmp/damaged" >"$out" 2>"$err"
    ok "damaged in part $part: no crash" [ $? -le 2 ]
done
head -c $((size / 2)) "$tmp/one" >"$tmp/half"
expect 2 heddle merge "$tmp/half"
ok "half a store: says it is damaged" grep -q 'damaged' "$err"

# A bug that two shapes of schedules show is listed twice, and counted once.
expect 1 heddle explore scenarios/dragonfly/waits_for_a_waiter.lua --case 1 \
    --runs 10 --memory tso -q --traces "$tmp/ways"
ok "the second is told as another way" grep -q ': another way to it' "$out"

tap_end
