-- SPDX-License-Identifier: BSD-2-Clause
scenario "a timeout wakes a thread that sleeps on something else by now"
origin   "kern_synch.c; fixed 2011-11-15, 4643740aa6: TDF_TIMEOUT_RUNNING"

--   softclock   endtsleep(cpu0's thread): waits for proc_token   .   goes on
--   cpu1        has it        wakeup(x)                     releases it
--   cpu0                          x is over, sleeps on y          and wakes up

system "dragonfly" { cpus = 2, THREADS = 1 }

local x, y = object "int", object "int"

function cpu0()
  lapic_timer_oneshot(500)
  tsleep(x, 0, nil, 1)    mark "x is over"
  tsleep(y, 0, nil, 0)    mark "y is over"
end
function cpu1() lwkt_gettoken(proc_token)  wakeup(x)  lwkt_reltoken(proc_token) end

function schedule()
  assert(run_to(1, wakeup))               -- it has proc_token
  hold(1)  free_run(2000)  release(1)     -- the clock; endtsleep() waits
  assert(run_to(1, lwkt_reltoken) and deliver_ipi(0))
  step(0, 1500)                           -- its thread has been woken
end

case "it goes on at once, and later wakes up although nobody called wakeup(y)"
mutant "endtsleep_alone"
possible (marked "y is over")

case "the fix: it stays in tsleep() until endtsleep() is through with it"
reach (marked "x is over")
never (marked "y is over")
certain (stuck { cpu = 0, inside = tsleep })
