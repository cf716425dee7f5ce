-- SPDX-License-Identifier: BSD-2-Clause
scenario "a FIFO is full of passive messages, and nobody tells its reader"
origin   "1b1e83e245, 2011-07-28, 'incomplete' by da0b0e8b56, 2011-07-29"

--   cpu0 ── █ █ █ █ █ passive: no IPI ──▶ cpu1, idle
--   cpu0    one more: waits for room, for ever
-- The first fix knocked once before the wait.  cpu1 empties the FIFO and opens
-- its door; but before cpu0 looks, callbacks in its own loop have refilled it.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

function cpu0() for _ = 1, 6 do lwkt_send_ipiq3_passive(gd(1), nop, 0, 0) end
                lwkt_send_ipiq3(gd(1), nop, 0, 0) end

case "without any knock"
mutant "no_knock_full"
certain (stuck { cpu = 0, inside = lwkt_send_ipiq3_passive })

case "control: as written, it knocks in the loop"
never (stuck)

local function refill()           -- each adds one to what cpu0 sends to cpu1
  for _ = 1, 4 do lwkt_send_ipiq3(gd(0), send_nop_passive, 0, 1) end
end
local function by_hand()
  assert(run_to(0, lwkt_send_ipiq3_passive, "lwkt_process_ipiq();"))
  assert(deliver_ipi(1))  step(1)  run(1)         -- cpu1 has read all five
  run(2)                                          -- and cpu0 gets four more
end

case "with one knock before the wait"
mutant "knock_once"
function cpu2() refill() end
function schedule() by_hand() end
certain (stuck { cpu = 0, inside = lwkt_send_ipiq3_passive })

case "control: as written"
function cpu2() refill() end
function schedule() by_hand() end
never (stuck)
