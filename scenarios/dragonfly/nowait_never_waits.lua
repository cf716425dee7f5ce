-- SPDX-License-Identifier: BSD-2-Clause
scenario "lwkt_send_ipiq3_nowait() gives up and executes nobody's messages"
origin   "lwkt_ipiq.c 1f2824e8: 'may still force us to spin and process \z
          incoming IPIs', above lwkt_send_ipiq3_nowait()"

--   cpu0   five messages for cpu1, no more room   one of cpu1's is here

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local ENOENT  = 2
local result  = 0
local spins   = enter(0, lwkt_process_ipiq)
                & (region(lwkt_send_ipiq3_nowait)(0) | region(lwkt_send_ipiq3)(0))

local function send(how)
  flood_passive(1, 5)
  crit_enter()  mark "full"  result = how(gd(1), nop, 0, 0)  crit_exit()
  mark "tried"
end
function cpu1()
  crit_enter()  await "full"
  lwkt_send_ipiq3(gd(0), nop, 0, 0)
  crit_exit()
end

case "full: it returns ENOENT"
function cpu0() send(lwkt_send_ipiq3_nowait) end
function cpu1() crit_enter()  await "tried"  crit_exit() end
certain (function() return result == ENOENT end)
never (spins)

case "there may be room or not: it never spins"
function cpu0() send(lwkt_send_ipiq3_nowait) end
never { spins, stuck }

case "control: lwkt_send_ipiq3() does"
function cpu0() send(lwkt_send_ipiq3) end
possible (spins)
