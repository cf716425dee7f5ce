#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# heddle replay --verify: certificates of livelocks, deadlocks and messages
# that wait for ever; what is damaged, forged or has nothing to verify.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

kernel=../shared/dragonfly/lwkt_ipiq.c
XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME

# The certificate of the first finding in $out.
certificate() {
    grep '"kind":"finding"' "$out" | head -1 |
        sed -n 's/.*"certificate":"\([^"]*\)".*/\1/p'
}

# Sign a certificate anew, whatever it says: FILE.
forge() {
    { head -1 "$1"; echo "sha256 $(tail -n +3 "$1" | sha256sum | cut -c1-64)"
      tail -n +3 "$1"; } >"$tmp/forged.proof"
}

sources="--ipiq=in-tree"
[ -f $kernel ] && sources="$sources --ipiq=$kernel"
for source in $sources; do
    expect 0 heddle run --json --case 1 "$source" \
        scenarios/dragonfly/claimed_mask_deadlock.lua
    proof=$(certificate)
    ok "DF-R1 has a certificate" [ -s "$proof" ]
    expect 0 heddle replay --verify "$proof"
    ok "it is verified" grep -q '^VERIFIED livelock' "$out"
    ok "the loop is printed" grep -q '^  step cpu1 [0-9]' "$out"
    ok "what was left out is named" grep -q '^  *memory 0x.*CPU_prv' "$out"
    expect 0 heddle replay --verify "${proof%.proof}.trace"
    expect 0 heddle replay --verify --json "$proof"
    ok "as JSON" grep -q '"holds":true' "$out"

    sed 's/^  step cpu1 \([0-9]*\)/  step cpu2 \1/' "$proof" >"$tmp/x.proof"
    expect 2 heddle replay --verify "$tmp/x.proof"
    ok "a changed certificate is refused" grep -q damaged "$err"
    forge "$tmp/x.proof"
    expect 1 heddle replay --verify "$tmp/forged.proof"
    ok "a forged one is refuted" grep -q '^REFUTED' "$out"
    sed '/^  step cpu2/d' "$proof" >"$tmp/x.proof"
    forge "$tmp/x.proof"
    expect 1 heddle replay --verify "$tmp/forged.proof"
    sed '/^left-out/d' "$proof" >"$tmp/x.proof"
    forge "$tmp/x.proof"
    expect 1 heddle replay --verify "$tmp/forged.proof"
    ok "what is left out must be said" grep -q 'left out' "$out"
    sed 's/^claim livelock/claim deadlock/' "$proof" >"$tmp/x.proof"
    forge "$tmp/x.proof"
    expect 1 heddle replay --verify "$tmp/forged.proof"
    ok "a livelock is no deadlock" grep -q 'can still happen' "$out"
    sed 's/^digest .*/digest 0123456789abcdef/' "$proof" >"$tmp/x.proof"
    forge "$tmp/x.proof"
    expect 2 heddle replay --verify "$tmp/forged.proof"
    rm "$proof"
    sed 's/^scenario .*/scenario gone.lua/' "${proof%.proof}.trace" \
        >"$tmp/gone.trace"
    expect 2 heddle replay "$tmp/gone.trace"
    ok "a trace without its scenario: both are named" \
        grep -q 'gone.trace: gone.lua' "$err"
    expect 2 heddle replay --verify "${proof%.proof}.trace"
    ok "without it there is nothing to verify" \
        grep -q 'nothing to verify: .* livelock' "$err"

    for case in 1 4; do
        expect 0 heddle run --json --case $case "$source" --runs 20 \
            scenarios/dragonfly/passive_never_flushed.lua
        proof=$(certificate)
        expect 0 heddle replay --verify "$proof"
        ok "DF-R4: messages wait for ever" grep -q '^VERIFIED lost' "$out"
    done
    ok "though the clock ticks" grep -q '^  fire cpu1' "$out"
    sed 's/^claim lost/claim livelock/' "$proof" >"$tmp/x.proof"
    forge "$tmp/x.proof"
    expect 1 heddle replay --verify "$tmp/forged.proof"
    ok "a clock that ticks is no livelock" grep -q 'every story has' "$out"
    sed 's/^rounds .*/rounds 99/' "$proof" >"$tmp/x.proof"
    forge "$tmp/x.proof"
    expect 1 heddle replay --verify "$tmp/forged.proof"
done

expect 0 heddle run --json --case 1 scenarios/dragonfly/wakeup_before_sleep.lua
proof=$(certificate)
expect 0 heddle replay --verify "$proof"
ok "a deadlock is verified" grep -q '^VERIFIED deadlock' "$out"
rm "$proof"
expect 0 heddle replay --verify "${proof%.proof}.trace"
ok "its trace alone says it too" grep -q '^VERIFIED deadlock' "$out"

expect 0 heddle run --json --case 4 scenarios/dragonfly/slot_read_order.lua
ok "a panic has no certificate" [ -z "$(certificate)" ]
trace=$(sed -n 's/.*"trace":"\([^"]*\)".*/\1/p' "$out" | head -1)
expect 2 heddle replay --verify "$trace"
ok "and nothing to verify" grep -q 'nothing to verify: .* panic' "$err"
expect 2 heddle replay --verify /nonexistent
expect 2 heddle replay --verify scenarios/canary.lua

tap_end
