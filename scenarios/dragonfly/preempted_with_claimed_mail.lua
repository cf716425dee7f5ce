-- SPDX-License-Identifier: BSD-2-Clause
scenario "a thread preempts a cpu that has claimed mail, and sends"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_process_ipiq_frame(); lwkt_preempt()"

--   cpu1   claims the mail of cpu0 and cpu2; cpu0's: schedule your interrupt
--          thread.  That preempts, here and now, and waits for room to cpu2
--   cpu2   likewise, and waits for room to cpu1
-- claimed_mask_deadlock.lua without a callback that sends: the threads are in
-- no callback, and in no critical section.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local function interrupt_thread(self, peer)
  local td = gd(self).gd_storythread
  td.td_preemptable = 1
  crit_enter()
  for _ = 1, 5 do lwkt_send_ipiq3_passive(gd(peer), nop, 0, 0) end
  mark (self .. " is ready")
  lwkt_deschedule_self(td)  lwkt_switch()
  crit_exit()
  lwkt_send_ipiq3(gd(peer), nop, 0, 0)
end
function cpu1() interrupt_thread(1, 2) end
function cpu2() interrupt_thread(2, 1) end
function cpu0()
  await "1 is ready"  await "2 is ready"
  lwkt_schedule(gd(1).gd_storythread)
  lwkt_schedule(gd(2).gd_storythread)
end

case "they preempt from inside lwkt_schedule_remote()"
mutant "preemption"
possible (stuck { inside = lwkt_send_ipiq3 })

case "a remedy that asks whether it is nested is told that it is not"
mutant { "preemption", "rescan" }
possible (stuck { inside = lwkt_send_ipiq3 })

case "control: they run when the callback has returned"
never { stuck, panic }
