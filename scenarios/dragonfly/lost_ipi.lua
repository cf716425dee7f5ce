-- SPDX-License-Identifier: BSD-2-Clause
scenario "a virtual machine loses an IPI"
origin   "bba35d6657, 2016-09-05: smp_invltlb() asks again after 1/16 s"

--   cpu0   knocks ──▶ ✗        gd_npoll of cpu1 is 1, for ever:
--   cpu2   sends: somebody has knocked already, so it does not

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local function lose_one() assert(run_to(0, nop) and drop_ipi(1)) end
local function lose_first() while not drop_ipi(1) do assert(step(0)) end end
function cpu0() lwkt_send_ipiq3(gd(1), receive, 0, 0)  nop(nil, 0, nil) end

case "an Xipiq: no message is read any more"
function schedule() lose_one() end
certain (lost_message)

case "and senders wait for ever"
function cpu2() for _ = 1, 6 do lwkt_send_ipiq3(gd(1), receive, 0, 0) end end
function schedule() lose_one() end
certain (stuck { cpu = 2, inside = lwkt_send_ipiq3 })

case "control: a clock that ticks and looks brings it back"
mutant "tick_drains"
function cpu1() lapic_timer_oneshot(1000) end
function schedule() lose_one() end
never (lost_message)

case "an Xinvltlb: smp_invltlb() waits for ever"
function cpu0() smp_invltlb() end
function schedule() lose_first() end
certain (stuck { cpu = 0, inside = smp_invltlb })

case "control: it asks again"
mutant "invltlb_again"
function cpu0() tsc_frequency = 100000  smp_invltlb() end
function schedule() lose_first() end
never (stuck)
