-- SPDX-License-Identifier: BSD-2-Clause
scenario "a thread on a sleep queue that does not sleep"
origin   "lwkt_thread.c, kern_synch.c; 2009-07-14 and 15, 3b4192fbd3, 7f5d7ed72f"

-- Since ae8e83e6e9 a thread is queued before it sleeps. It may then block for
-- something else, and lwkt_schedule() has to wake it; or come to its end.

system "dragonfly" { cpus = 2, THREADS = 1 }

local ident = object "int"
local freed = breach "no touch of freed memory"

function cpu0()
  tsleep_interlock(ident, 0)
  lwkt_deschedule_self(gd(0).gd_storythread)  mark "it blocks"
  lwkt_switch()
end
function cpu1() await "it blocks"  lwkt_schedule(gd(0).gd_storythread) end

case "lwkt_schedule() takes it for a sleeper"
mutant "schedule_refuses_tsleepq"  possible (stuck { cpu = 0 })

case "the fix: it does not look"
never (stuck)

local function cpu0_reaps()
  local td = thread_create(interlock_and_exit, ident)
  lwkt_yield()  thread_reap(td)  mark "it has ended"
end
local function cpu1_wakes() await "it has ended"  wakeup(ident) end

case "it ends on the queue, and is found there"
function cpu0() cpu0_reaps() end
function cpu1() cpu1_wakes() end
mutant "exit_on_queue"  certain (freed)

case "the fix: who ends leaves the queue"
function cpu0() cpu0_reaps() end
function cpu1() cpu1_wakes() end
never { freed, stuck, panic }
