#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# heddle run and heddle replay, as scripts use them.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

full=scenarios/dragonfly/fifo_full_mutual.lua
kernel=../shared/dragonfly/lwkt_ipiq.c
numbered=../shared/seeds/004_e3c6d189303af71c.txt
XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME

# The value of a field of the first JSON line of a kind in $out.
expect 0 heddle run --json $full
for name in scenario case line claim holds how runs; do
    ok "a claim has the field $name" [ -n "$(field claim $name)" ]
done
for name in scenario case verdict where seed digest replay trace; do
    ok "a finding has the field $name" [ -n "$(field finding $name)" ]
done
ok "the control's verdict is livelock" same "$(field finding verdict)" livelock
digest=$(field finding digest)
trace=$(field finding trace)
replay=$(grep '"kind":"finding"' "$out" |
    sed -n 's/.*"replay":"heddle \([^"]*\)".*/\1/p')
ok "the trace is on disk" [ -s "$trace" ]

# shellcheck disable=SC2086 # the command is made of words
expect 0 heddle $replay --json
for name in scenario case seed strategy memory steps digest verdict; do
    ok "a run has the field $name" [ -n "$(field run $name)" ]
done
ok "the replay command gives the digest" same "$(field run digest)" "$digest"
expect 0 heddle replay "$trace" --json
ok "the trace gives the digest" same "$(field run digest)" "$digest"
expect 0 heddle replay "$trace"
ok "the story has a column for each cpu" grep -q 'cpu0  *cpu1' "$out"
ok "the story ends with a digest" grep -q '^digest' "$out"
expect 0 heddle replay "$trace" --raw
ok "--raw tells more" [ "$(wc -l <"$out")" -gt 60 ]

sed "s/^\\(tape ....\\)..../\\1/" "$trace" >"$tmp/damaged"
expect 2 heddle replay "$tmp/damaged"
sed "s/^image .*/image 0123456789abcdef/" "$trace" >"$tmp/other"
expect 2 heddle replay "$tmp/other"
head -3 "$trace" >"$tmp/short"
expect 2 heddle replay "$tmp/short"
ok "a short trace: the message names the file" grep -q "$tmp/short" "$err"

expect 0 heddle run --case 1 --seed 7 --json $full
ok "--seed makes one run" same "$(grep -c '"kind":"run"' "$out")" 1
once=$(field run digest)
expect 0 heddle run --case 1 --seed 7 --json --engine stepwise $full
ok "the reference engine gives the digest" same "$(field run digest)" "$once"

# What nobody speaks of is claimed not to happen.
cat >"$tmp/rule.lua" <<EOT
scenario "a rule is broken" system "dragonfly" { cpus = 2 }
local a = object "struct spinlock"
function cpu0() spin_lock(a) lwkt_send_ipiq3(gd(1), nop, 0, 0) end
case "nobody speaks of it" reach (enter(1, nop))
EOT
expect 1 heddle run "$tmp/rule.lua"
ok "a broken house rule fails the case" grep -q 'FAIL  never (breach' "$out"
cat >"$tmp/panic.lua" <<EOT
scenario "a panic" system "dragonfly" { cpus = 2 }
function cpu0() lwkt_process_ipiq() end
case "nobody speaks of it" reach (enter(0, lwkt_process_ipiq))
EOT
expect 1 heddle run "$tmp/panic.lua"
ok "a panic fails the case, with its text" grep -q 'td_critcount' "$out"

# What the guest prints is part of the story.
cat >"$tmp/console.lua" <<EOT
scenario "the watchdog of lwkt_wait_ipiq() speaks, and panics"
system "dragonfly" { cpus = 2 }
local flag = object "int"
function cpu0()
  tsc_frequency = 1000
  crit_enter()
  lwkt_wait_ipiq(gd(1), lwkt_send_ipiq3(gd(1), spin_until, flag, 0))
end
case "it gives up" possible (panic)
EOT
expect 0 heddle run "$tmp/console.lua"
ok "the console is told" grep -q '  | LWKT_WAIT_IPIQ WARNING' "$out"

expect 0 heddle run --case 1 scenarios/dragonfly/looks_like_ipiq.lua
ok "who loops after its story is told with its place" \
    grep -q '^cpu1     in lwkt_switch' "$out"

expect 0 heddle run --runs 1 scenarios/dragonfly/lwp_freed_in_flight.lua
ok "a rule that is broken for certain is told" grep -q '^FOUND' "$out"

# Each case has its own build, and fields may lie elsewhere in it.
cat >"$tmp/layouts.lua" <<EOT
scenario "a mutant whose threads have one field more"
system "dragonfly" { cpus = 2 }
function cpu0()
  assert(gd(0).gd_curthread == gd(0).gd_storythread)
  mark "the same"
end
case "with" mutant "preemption" possible (marked "the same")
case "without" possible (marked "the same")
EOT
expect 0 heddle run "$tmp/layouts.lua"

# What was looked for is shown where it happened: here cpu1 is inside while cpu0
# is, and that is neither's call nor how the run ends.
cat >"$tmp/moment.lua" <<'EOT'
scenario "two are inside"
system "dragonfly" { cpus = 2 }
local n = object "int"
local inside = region(increment)
function cpu0() increment(n) end
function cpu1() increment(n) end
case "at once" possible (inside(0) & inside(1))
EOT
expect 0 heddle run "$tmp/moment.lua"
both='inside(0) & inside(1)'
ok "the moment has its row" grep -q "^ *[0-9][0-9]* .*\\* $both" "$out"
ok "and its place" grep -q "^moment .* cpu[01]: $both, in increment" "$out"

# A run with few --steps is made again by its command and by its trace, which
# says itself what the run was.
cat >"$tmp/endless.lua" <<'EOT'
scenario "it does not end"
system "dragonfly" { cpus = 1 }
function cpu0() while true do nop(nil, 0, nil) end end
case "a"
possible (budget)
EOT
expect 0 heddle run "$tmp/endless.lua" --steps 700 --traces "$tmp/few"
digest=$(grep '^digest' "$out")
command=$(sed -n 's/^replay *//p' "$out")
# shellcheck disable=SC2086
expect 0 $command
ok "its command gives a run of few steps" grep -q "$digest" "$out"
few=$(echo "$tmp"/few/*.trace)
expect 0 heddle replay "$few"
ok "its trace gives a run of few steps" grep -q "$digest" "$out"
for option in --seed=1 --case=1 --steps=5 --strategy=pct --memory=tso \
    --ipiq=in-tree --mutant=no_drain --weaken=x; do
    expect 2 heddle replay "$few" $option
    ok "$option beside a trace: says so" grep -q -- "${option%%=*}:" "$err"
done

# What the first line of a story says is the same whether it leaves a trace.
expect 0 heddle run scenarios/dragonfly/lost_ipi.lua --case 1 --traces "$tmp/l"
grep '^FOUND' "$out" >"$tmp/said"
ok "a lost message is told" grep -q 'messages wait for ever' "$tmp/said"
expect 0 heddle replay "$tmp"/l/*.trace
ok "and by a replay" grep -q 'messages wait for ever' "$out"

# A turn in which a cpu makes no step is on no tape, and counts as none.
cat >"$tmp/clocks.lua" <<'EOT'
scenario "two clocks"
system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }
function cpu0() lapic_timer_periodic(200) lwkt_send_ipiq3(gd(1), nop, 0, 0) end
function cpu1() lapic_timer_periodic(300) end
case "a"
mutant "device_ticks"
memory "tso"
possible (budget)
EOT
expect 0 heddle run "$tmp/clocks.lua" --steps 30000 --strategy pos \
    --traces "$tmp/clocks"
digest=$(grep '^digest' "$out")
expect 0 heddle replay "$tmp"/clocks/*.trace
ok "a replay counts the same switches" grep -qF "$digest" "$out"

# The last word of a schedule, when all is at rest.
cat >"$tmp/last.lua" <<'EOT'
scenario "a schedule writes last"
system "dragonfly" { cpus = 2 }
local n = object "int"
function cpu0() increment(n) end
case "when all is at rest"
function schedule() run(1) run(0)  assert(n[0] == 1)  n[0] = 40 end
possible (function() return n[0] == 40 end)
EOT
expect 0 heddle run "$tmp/last.lua" --traces "$tmp/last"
ok "a write of it is told" grep -q 'schedule() writes n = 40$' "$out"
expect 0 heddle replay "$tmp"/last/*.trace
ok "and by a replay" grep -q 'schedule() writes n = 40$' "$out"

# A schedule's writes are on the tape, like all that it does; a tape that
# writes where nobody may is none.
cat >"$tmp/writes.lua" <<'EOT'
scenario "a schedule writes"
system "dragonfly" { cpus = 2 }
local n, m = object "int", object "int"
function cpu0() increment(n)  if get(n) > 40 then set(m, 3) end end
case "before the load"
function schedule() run_to(0, increment)  n[0] = 40  assert(n[0] == 40) end
possible (function() return n[0] == 41 and m[0] == 3 end)
EOT
expect 0 heddle run "$tmp/writes.lua" --traces "$tmp/writes"
trace=$(echo "$tmp"/writes/*.trace)
expect 0 heddle replay "$trace"
for tape in CICAgAQJAA== CP///////////wEJAA== CICAgAQ=; do
    sed "s|^tape .*|tape $tape|" "$trace" >"$tmp/forged.trace"
    expect 2 heddle replay "$tmp/forged.trace"
    ok "a forged write is refused" grep -q 'does not fit' "$err"
done

expect 1 heddle run scenarios/canary.lua
ok "the canary's claim is seen to fail" grep -q 'FAIL  never' "$out"
expect 1 heddle run --tap scenarios/canary.lua
ok "TAP has a failed point" grep -q '^not ok 1' "$out"
expect 0 heddle run -q --junit "$tmp/junit.xml" $full
ok "JUnit is written" grep -q '<testsuite' "$tmp/junit.xml"
ok "--quiet tells no story" [ "$(grep -c FOUND "$out")" -eq 0 ]

if [ -r "$kernel" ]; then
    expect 0 heddle run -q --ipiq $kernel $full
    expect 0 heddle run --case 1 --seed 7 --json --ipiq $kernel $full
    once=$(field run digest)
    expect 0 heddle run --case 1 --seed 7 --json --ipiq $numbered $full
    ok "the numbered text is the same kernel" same "$(field run digest)" "$once"
else
    skip "the kernel's own file" "no $kernel"
fi

tap_end
