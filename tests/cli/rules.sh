#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The house rules of dragonfly: each is broken on purpose, once by our ipiq.c
# and once by the kernel's, and kept by a control.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

kernel=../shared/dragonfly/lwkt_ipiq.c
XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME
sources=ours
[ -r "$kernel" ] && sources="ours kernel"

# scenario NAME: a scenario file from standard input.
scenario() {
    { echo "scenario \"$1\"" && cat; } >"$tmp/$1.lua"
}

# run_on SOURCE NAME: what it comes to.
run_on() {
    if [ "$1" = kernel ]; then
        expect 0 heddle run --ipiq $kernel "$tmp/$2.lua"
    else
        expect 0 heddle run "$tmp/$2.lua"
    fi
}

# told RULE PLACE: the last run told this breach, there.
told() {
    sed -e ':a' -e 'N' -e '$!ba' -e 's/\n         / /g' "$out" |
        grep -q "^breach .*: $1, in $2, [a-z_]*\.[cS]:[0-9]"
}

# broken NAME RULE PLACE
broken() {
    for source in $sources; do
        run_on "$source" "$1"
        ok "$1, $source: the breach names rule and place" told "$2" "$3"
    done
}

# --- Interrupts physically off ------------------------------------------------

scenario interrupts_off <<'EOT'
system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }
local rule = breach "no waiting with interrupts off"
local function send(disable)
  for _ = 1, 5 do lwkt_send_ipiq3_passive(gd(1), nop, 0, 0) end
  disable()
  lwkt_send_ipiq3(gd(1), nop, 0, 0)
  cpu_enable_intr()
end
case "a full FIFO, and interrupts are off"
function cpu0() send(cpu_disable_intr) end
possible (rule)
case "and they are on"
function cpu0() send(cpu_enable_intr) end
never (rule)
EOT
broken interrupts_off "no waiting with interrupts off" lwkt_send_ipiq3

# --- Balance ------------------------------------------------------------------

scenario callback_balance <<'EOT'
system "dragonfly" { cpus = 2 }
local a = object "struct spinlock"
local rule = breach "a callback leaves its cpu as it found it"
case "it leaves in a critical section"
function cpu0() lwkt_send_ipiq3(gd(1), crit_enter, 0, 0) end
possible (rule)
case "it leaves with a lock"
function cpu0() lwkt_send_ipiq3(gd(1), spin_lock, a, 0) end
possible { rule, panic }
case "it takes and drops one"
function cpu0() lwkt_send_ipiq3(gd(1), take_and_drop, a, 0) end
never (rule)
EOT
broken callback_balance "a callback leaves its cpu as it found it" crit_enter
ok "callback_balance: so does the other" \
    told "a callback leaves its cpu as it found it" spin_lock

scenario idle_balance <<'EOT'
system "dragonfly" { cpus = 2 }
local rule = breach "all critical sections are left at return to idle"
case "a story ends in a critical section"
function cpu0() crit_enter() end
possible (rule)
case "it is in one between its calls"
function cpu0() crit_enter()  nop(0, 0, 0)  crit_exit() end
never (rule)
EOT
broken idle_balance "all critical sections are left at return to idle" \
    story_thread

# --- Messages -----------------------------------------------------------------

# DF-H02: the target is in a critical section, and the sender never waits.
scenario overwritten <<'EOT'
system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }
local last = object "int"
local room  = breach "no message is written over one that waits"
local order = breach "each message is executed once, in order"
function cpu0()
  await "closed"
  crit_enter()
  for n = 1, 12 do lwkt_send_ipiq3_nowait(gd(1), count_up, last, n) end
  crit_exit()
  mark "sent"
end
function cpu1() crit_enter()  mark "closed"  await "sent"  crit_exit() end
case "nowait gives up at 3/2 of the depth"
mutant "hysteresis"  possible { room, order }
case "as written"
never (room)  never (order)
EOT
broken overwritten "no message is written over one that waits" \
    lwkt_send_ipiq3_nowait
ok "overwritten: another is executed in its place" \
    told "each message is executed once, in order" lwkt_process_ipiq_core

# DF-H25: without a critical section two loops are inside each other.
scenario twice <<'EOT'
system "dragonfly" { cpus = 2, INVARIANTS = 0 }
local last = object "int"
local order = breach "each message is executed once, in order"
local section = breach "process only in a critical section"
function cpu0()
  for n = 1, 4 do lwkt_send_ipiq3(gd(1), count_up, last, n) end
end
case "two loops"  explore { runs = 4000 }
function cpu1() for _ = 1, 4 do lwkt_process_ipiq() end end
possible { order, section, stuck }
case "one loop"
function cpu1()
  for _ = 1, 4 do crit_enter()  lwkt_process_ipiq()  crit_exit() end
end
never (order)  never (section)
EOT
broken twice "each message is executed once, in order" lwkt_process_ipiq_core

# --- Stacks -------------------------------------------------------------------

# A message to itself is executed at once: one more level of the stack.
scenario recursion <<'EOT'
system "dragonfly" { cpus = 1 }
local rule = breach "a cpu stays on its stack"
case "three hundred levels"
function cpu0() lwkt_send_ipiq3(gd(0), echo, 300, 0) end
possible (rule)
case "a few"
function cpu0() lwkt_send_ipiq3(gd(0), echo, 40, 0) end
never (rule)
EOT
broken recursion "a cpu stays on its stack" lwkt_send_ipiq3

# --- Dead memory --------------------------------------------------------------

# DF-R9: lwkt_sync_ipiq() looks again after it has let go.
scenario synchronize <<'EOT'
system "dragonfly" { cpus = 3 }
local rule = breach "no touch of a dead object of a stack"
function cpu0() lwkt_synchronize_ipiqs(0) end
case "as written"
possible (rule)
EOT
broken synchronize "no touch of a dead object of a stack" lwkt_sync_ipiq

scenario cpusync <<'EOT'
system "dragonfly" { cpus = 3 }
local rule = breach "no touch of a dead object of a stack"
function cpu0() lwkt_cpusync_simple(6, nop, 0) end
case "a slave looks once more"
mutant "late_touch"  possible (rule)
case "as written"
never (rule)
case "as written, with store buffers"
memory "tso"  never (rule)
EOT
broken cpusync "no touch of a dead object of a stack" lwkt_cpusync_remote2

scenario freed <<'EOT'
system "dragonfly" { cpus = 2 }
local a = object "int"
local rule = breach "no touch of freed memory"
case "its memory is freed while the message is on its way"
function cpu0()
  lwkt_send_ipiq3(gd(1), count_up, a, 0)
  memory_freed(a, 4)
end
possible (rule)
case "it is taken again, or nobody knows it any more"
function cpu0()
  memory_freed(a, 4)
  memory_taken(a, 4)
  crit_enter()
  lwkt_wait_ipiq(gd(1), lwkt_send_ipiq3(gd(1), count_up, a, 0))
  crit_exit()
  memory_freed(a, 4)
end
never (rule)
EOT
broken freed "no touch of freed memory" count_up

# Correct code keeps the rules: indices pass 2^32, in rings of every depth.
for depth in 8 32 256; do
    scenario wraps$depth <<EOT
system "dragonfly" { cpus = 4, MAXCPUFIFO = $depth }
local last = object "int"
function cpu0()
  for to = 1, 3 do
    local queue = gd(0).gd_ipiq[to]
    queue.ip_windex, queue.ip_rindex, queue.ip_xindex = -3, -3, -3
  end
  for n = 1, $depth + 9 do lwkt_send_ipiq3(gd(1), count_in_order, last, n) end
  for n = 1, 9 do lwkt_send_ipiq3(gd(2), nop, 0, n) end
  for n = 1, 9 do lwkt_send_ipiq3_passive(gd(3), nop, 0, n) end
end
case "as written"
explore { runs = 50 }
reach (function() return last[0] == $depth + 9 end)
EOT
    for source in $sources; do run_on $source wraps$depth; done
done

tap_end
