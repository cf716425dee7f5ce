-- SPDX-License-Identifier: BSD-2-Clause
scenario "a FIFO of four is full when it is half full and one more"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_send_ipiq3(): KKASSERT in the wait loop"

--   waits when more than D/2 are in it    must not see D - 1
--   D = 4:                  3 > 2         3 = 4 - 1

system "dragonfly" { cpus = 2, MAXCPUFIFO = 4 }

local function send(count)
  for _ = 1, count do lwkt_send_ipiq3(gd(1), receive, 0, 0) end
end
function cpu1() crit_enter()  await "cpu0 has sent"  crit_exit() end

case "three are there, and the fourth waits for room"
function cpu0() send(3)  mark "cpu0 has sent"  send(1) end
possible (panic)

case "control: never more than three"
function cpu0() send(3)  mark "cpu0 has sent" end
never (panic)
certain (function() return received[1] == 3 end)
