-- SPDX-License-Identifier: BSD-2-Clause
scenario "two cpus have claimed each other's mail and cannot get to it"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_process_ipiq(); fixed in 2016, e32d324453"

-- lwkt_process_ipiq() takes all of gd_ipimask at once.  While it executes the
-- mail of cpu0, that of the other cpu is claimed but not read; and if cpu0's
-- mail must wait for room, the nested lwkt_process_ipiq() finds no bit set.
--
--   cpu1 ── waits for room ──▶ full █████ ──▶ cpu2, which has claimed it
--   cpu1, which has claimed it ◀── █████ full ◀── waits for room ── cpu2

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local waiting = region(lwkt_send_ipiq3,
                       "cpu_enable_intr();", "DEBUG_POP_INFO();")

local function half_fill(target)          -- one more and the sender must wait
  crit_enter()
  for _ = 1, 5 do lwkt_send_ipiq3_passive(gd(target), nop, 0, 0) end
  crit_exit()
end

function cpu0()
  lwkt_send_ipiq3(gd(1), send_nop, 0, 2)
  lwkt_send_ipiq3(gd(2), send_nop, 0, 1)
end
function cpu1() half_fill(2) end
function cpu2() half_fill(1) end

case "as written: some schedule hangs two of the three"
possible (stuck)

case "control: a nested lwkt_process_ipiq() looks at every FIFO"
mutant "rescan"
reach (waiting(1) & waiting(2))
never { stuck, panic }
