-- SPDX-License-Identifier: BSD-2-Clause
scenario "a nested loop empties a FIFO further than the outer one knows of"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_process_ipiq_core(): 'for rindex to advance \z
          passed our cached windex'"

--   cpu1   outer loop: wi = 2, message 0 ▶ pass_on: waits for room to cpu2
--   cpu0                                     sends 2, 3, 4
--   cpu1   nested loop: 1 to 4   ◀ room      outer loop: wi - rindex = 2 - 5
-- indices_pass.lua in as many steps as it takes, and few enough to try them all.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local last = object "int"

local function send(from, to)
  for n = from, to do lwkt_send_ipiq3(gd(1), count_in_order, last, n) end
end
function cpu0()
  await "cpu1 has no room"
  lwkt_send_ipiq3(gd(1), pass_on, 0, 2)  send(1, 1)  mark "two are sent"
  send(2, 4)  mark "five are sent"
end
function cpu1()
  flood_passive(2, 5)  crit_enter()  mark "cpu1 has no room"
  await "two are sent"  crit_exit()
end
function cpu2() crit_enter()  await "five are sent"  crit_exit() end

case "as written: the comparison is a signed difference"
never { panic, stuck }
certain (function() return last[0] == 4 end)

case "control: compared for equality, it runs round the ring"
mutant "unequal_indices"
possible { panic, breach "each message is executed once, in order" }
