-- SPDX-License-Identifier: BSD-2-Clause
scenario "three cpus in a ring, each has claimed the mail it is waited for"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_process_ipiq(); fixed in 2016, e32d324453"

--   cpu1 ── waits for room ──▶ █████ ──▶ cpu2 ── waits ──▶ █████ ──▶ cpu3
--     ▲                                                               │
--     └──────────────────── █████ ◀────────────── waits for room ─────┘
-- Each executes mail of cpu0 first, as the lowest cpu comes first, and has
-- claimed the FIFO to it; no bit of gd_ipimask is set any more.

system "dragonfly" { cpus = 4, MAXCPUFIFO = 8 }

local function half_fill(target)          -- one more and the sender must wait
  crit_enter()
  for _ = 1, 5 do lwkt_send_ipiq3_passive(gd(target), nop, 0, 0) end
  crit_exit()
end
function cpu1() half_fill(2)  mark "1 is full" end
function cpu2() half_fill(3)  mark "2 is full" end
function cpu3() half_fill(1)  mark "3 is full" end

function cpu0()
  for n = 1, 3 do await (n .. " is full") end
  for n = 1, 3 do lwkt_send_ipiq3(gd(n), send_nop, 0, n % 3 + 1) end
end

local function claimed()
  return gd(1).gd_ipimask == 0 and gd(2).gd_ipimask == 0
         and gd(3).gd_ipimask == 0
end

case "as written"
possible (stuck & claimed)

case "control: a nested lwkt_process_ipiq() looks at every FIFO"
mutant "rescan"
never { stuck, panic }
