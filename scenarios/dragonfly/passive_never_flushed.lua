-- SPDX-License-Identifier: BSD-2-Clause
scenario "a passive message that nobody flushes"
origin   "lwkt_ipiq.c 1f2824e8, above lwkt_send_ipiq3_passive(): 'the next \z
          clock interrupt'; true again since e76d2ad39d, 2015-04-06"

--   cpu0 ── message, no IPI ──▶ gd_ipiq[1] █████     cpu1 idles, its clock
--                                                    ticks, and it never looks

system "dragonfly" { cpus = 2 }

local counter = object "int"

local function send()
  for _ = 1, 8 do lwkt_send_ipiq3_passive(gd(1), count_up, counter, 0) end
end

function cpu0() send()  mark "sent" end
function cpu1() await "sent"  lapic_timer_oneshot(1000) end

case "as written: not even the clock interrupt brings them"
reach   (enter(1, lapic_timer_process_frame))
certain (lost_message)

case "control: a clock interrupt that looks into the FIFOs"
mutant  "tick_drains"
never   (lost_message)
certain (function() return counter[0] == 8 end)

case "control: one ordinary message takes them along"
function cpu0() send()  lwkt_send_ipiq3(gd(1), nop, 0, 0)  mark "sent" end
never   (lost_message)

case "as written: however often the clock ticks"
function cpu1() await "sent"  lapic_timer_periodic(1000) end
certain (lost_message)
