-- SPDX-License-Identifier: BSD-2-Clause
scenario "a callback leaves the critical section it was called in"
origin   "lwkt_thread.c, July 2013: lwkt_schedule_remote()"

-- For a thread that may preempt it does crit_exit_noyield(), schedules, and
-- enters again.  In between another Xipiq is taken, in the middle of the loop
-- over the FIFO; and in its callbacks another one.  How deep is luck.

system "dragonfly" { cpus = 2 }

local early = region(lwkt_schedule_remote)(1) & enter(1, receive)

local function storm(preemptable)
  gd(1).gd_storythread.td_preemptable = preemptable
  for _ = 1, 12 do
    lwkt_schedule(gd(1).gd_storythread)
    lwkt_send_ipiq3(gd(1), receive, 0, 0)
  end
end

case "a message is executed before the one before it is over"
function cpu0() storm(1) end
possible (early)

case "control: a thread that does not preempt"
function cpu0() storm(0) end
never (early)
