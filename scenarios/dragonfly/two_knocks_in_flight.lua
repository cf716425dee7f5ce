-- SPDX-License-Identifier: BSD-2-Clause
scenario "more than one Xipiq is on its way to a cpu"
origin   "e47e3dba26, 2016-07-22: gd_npoll was cleared gratuitously"

--   cpu0   m1, knocks ─────▶ in flight ...
--   cpu1   polls: executes m1, gd_npoll = 0
--   cpu2   m2, finds the door open, knocks ─────▶ in flight: two

system "dragonfly" { cpus = 3 }

function cpu0() lwkt_send_ipiq3(gd(1), receive, 0, 0) end
function cpu1() crit_enter()  lwkt_process_ipiq()  nop(nil, 0, nil)  crit_exit() end
function cpu2() lwkt_send_ipiq3(gd(1), receive, 0, 0) end

local function interrupts(n) return function() return gd(1).gd_cnt.v_ipi == n end end
local function poll_between()
  run_to(1, lwkt_process_ipiq)
  run(0)                                        -- knocks: not yet delivered
  assert(run_to(1, nop) and received[1] == 1)   -- executed by a poll
  run(2)
end

case "as written: who polls opens the door, and cpu2 knocks as well"
function schedule()
  poll_between()
  assert(deliver_ipi(1))  step(1, 40)  assert(deliver_ipi(1))
end
possible (interrupts(2))  never (lost_message)

case "control: the door is opened by the interrupt"
mutant "npoll_by_knock"
function schedule()
  poll_between()
  assert(deliver_ipi(1) and not deliver_ipi(1))
end
certain (interrupts(1))  never (lost_message)

case "and in any order nothing is lost by that"
mutant "npoll_by_knock"
never { lost_message, stuck }  certain (function() return received[1] == 2 end)
