-- SPDX-License-Identifier: BSD-2-Clause
scenario "both IPI FIFOs are full and both cpus keep sending"
origin   "lwkt_ipiq.c 1f2824e8, the comment above lwkt_send_ipiq3()"

--   cpu0 ──▶ gd_ipiq[1] ████████ ──▶ cpu1    Each sender waits for room in a
--   cpu0 ◀── gd_ipiq[0] ████████ ◀── cpu1    queue that only the other empties.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local waiting = region(lwkt_send_ipiq3,
                       "cpu_enable_intr();", "DEBUG_POP_INFO();")

local function flood(target)
  crit_enter()                            -- incoming IPIs are only flagged
  for _ = 1, 9 do lwkt_send_ipiq3(gd(target), nop, 0, 0) end
  crit_exit()
end

function cpu0() flood(1) end
function cpu1() flood(0) end

case "as written: whoever waits also executes incoming IPIs"
reach (waiting(0) & waiting(1))           -- else the case proves nothing
never { stuck, panic }

case "control: the wait loop does not call lwkt_process_ipiq()"
mutant "no_drain"
possible (stuck)
