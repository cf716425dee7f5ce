#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# heddle audit: the barrier ledger, on a guest whose answers are known.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME
file=$tmp/lock.lua

cat >"$file" <<'LUA'
scenario "a counter behind a spin lock"
system "dragonfly" { cpus = 2 }
local a, n = object "struct spinlock", object "int"
local function add()
  spin_lock(a)
  set(n, get(n) + 1)
  spin_unlock(a)
end
function cpu0() add() add() end
function cpu1() add() add() end
case "no addition is lost"
certain (function() return n[0] == 4 end)
case "control: one does not add"
function cpu1() end
never (function() return n[0] == 4 end)
LUA

expect 0 heddle audit --runs 300 "$file" --html "$tmp/page.html" --json
cp "$out" "$tmp/rows"
expect 0 heddle audit --runs 300 "$file" --json --strategy pos
ok "a strategy that takes a census first sees what is executed" \
    grep -q '"needed":"sc"' "$out"
row() { # PATTERN: the first row that has it
    grep "$1" "$tmp/rows" | head -1
}
of() { # ROW NAME
    echo "$1" | value "$2"
}
taken=$(row '"function":"spin_lock".*"type":"lock"')
ok "the lock's LOCK is needed on any machine" \
    [ "$(of "$taken" needed)" = sc ]
ok "with a claim" [ -n "$(of "$taken" claim)" ]
ok "and a trace that is on disk" [ -s "$(of "$taken" trace)" ]
ok "what nobody misses is null" grep -q '"needed":null' "$tmp/rows"
ok "and says how hard it was tried" \
    grep -q '"needed":null,.*"runs":[1-9]' "$tmp/rows"
ok "alone, and with all others that nobody misses" \
    grep -q '"needed":null,.*"runs_together":[1-9]' "$tmp/rows"
ok "what is needed was not among them" [ "$(of "$taken" runs_together)" = 0 ]

replay=$(echo "$taken" | sed -n 's/.*"replay":"heddle \([^"]*\)".*/\1/p')
# shellcheck disable=SC2086 # the command is made of words
expect 0 heddle $replay --json
same=$(grep '"kind":"run"' "$out")
expect 0 heddle replay --json "$(of "$taken" trace)"
ok "the trace gives the same run as the seed" \
    [ "$(of "$same" digest)" = "$(of "$(cat "$out")" digest)" ]
expect 0 heddle shrink --json "$(of "$taken" trace)"
ok "and shrinks, with the LOCK still away" \
    grep -q '"minimal":true' "$out"
expect 0 heddle replay "$(of "$(cat "$out")" trace)"
ok "to a run that still shows it" grep -q '^claim ' "$out"

ok "the page has the source" grep -q '<pre>spin_lock(struct spinlock' \
    "$tmp/page.html"
browser=$(command -v chromium || command -v chromium-browser)
if [ -n "$browser" ]; then
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu \
        --user-data-dir="$tmp/profile" --dump-dom \
        "file://$tmp/page.html" >"$tmp/dom" 2>"$tmp/browser"
    ok "a browser reads a verdict of every row" \
        [ "$(grep -o '<details class="note' "$tmp/dom" | wc -l)" -eq \
        "$(wc -l <"$tmp/rows")" ]
else
    skip "a browser reads a verdict of every row" "no chromium"
fi
expect 0 heddle audit --runs 5 "$file"
place=$(sed -n 's/^ *--weaken //p' "$out" | head -1)
expect 0 heddle run -q "$file" --case 1 --runs 5 --weaken "$place"
ok "a place that is never missed has a name for --weaken" [ -n "$place" ]
ok "and the page has it" grep -q -- '--weaken spin_lock+0x' "$tmp/page.html"
expect 0 heddle audit --runs 5 --markdown "$file"
ok "a table for a document" grep -q '^| spinlock.c:' "$out"
expect 2 heddle replay "$file" --case 1 --seed 1 --weaken spin_lock+0x1
ok "a wrong place is refused" grep -q 'heddle audit lists' "$err"
expect 2 heddle audit "$tmp/none.lua"

order=scenarios/dragonfly/slot_read_order.lua
expect 0 heddle audit --runs 300 "$order" --json
cp "$out" "$tmp/rows"
taken=$(row '"needed":null.*"needed_with":"weak"')
ok "of two lfences one is enough" \
    [ "$(of "$taken" function)" = lwkt_process_ipiq_core ]
replay=$(echo "$taken" | sed -n 's/.*"replay":"heddle \([^"]*\)".*/\1/p')
# shellcheck disable=SC2086 # the command is made of words
expect 0 heddle $replay --json
ok "the command takes both away" [ "${replay#*+0x*,lwkt_}" != "$replay" ]
expect 0 heddle replay --json "$(of "$taken" trace)"
expect 0 heddle audit --runs 300 "$order" --json --jobs 3
ok "three processes find the same as one" cmp -s "$out" "$tmp/rows"

tap_end
