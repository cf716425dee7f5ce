-- SPDX-License-Identifier: BSD-2-Clause
scenario "messages are executed inside of each other until the stack is full"
origin   "lwkt_thread.c, July 2013: lwkt_schedule_remote(); the second look of \z
          lwkt_process_ipiq_frame()"

--   cpu1   releases gd_npoll │ looks again: one more ▶ lwkt_schedule_remote:
--          out of its critical section │ Xipiq ▶ releases gd_npoll │ ...
--   cpu0   sends at the first bar, and knocks; it arrives at the second
-- No level is counted anywhere: nobody sends, so nobody asserts.

system "dragonfly" { cpus = 2 }

local overrun = breach "a cpu stays on its stack"

local function schedule_often(preemptable)
  gd(1).gd_storythread.td_preemptable = preemptable
  for _ = 1, 60 do lwkt_schedule(gd(1).gd_storythread) end
end

local function send() step(0)  assert(run_to(0, lwkt_schedule)) end
local function one_deeper()
  assert(run_to(1, lwkt_process_ipiq_frame, "cpu_mfence();"))  send()
  assert(run_to(1, lwkt_schedule_remote, "crit_enter();") and deliver_ipi(1))
end

case "some forty times"
function cpu0() schedule_often(1) end
function schedule()
  assert(run_to(0, lwkt_schedule))  send()  assert(deliver_ipi(1))
  for _ = 1, 50 do one_deeper() end
end
possible { overrun, panic }

case "control: a thread that does not preempt"
explore { runs = 200 }
function cpu0() schedule_often(0) end
never { overrun, panic, stuck }
