-- SPDX-License-Identifier: BSD-2-Clause
scenario "callbacks that send are executed inside callbacks that send"
origin   "lwkt_ipiq.c 1f2824e8, 'TOO HEAVILY NESTED!'; 2016, 5d920ec6b9"

--   send: full, so process ▶ relay() ▶ send: full, so process ▶ relay() ▶ ...
-- A relay takes one message out and puts one in, so it never gets emptier.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 32 }
explore { runs = 1000 }

local function exchange(peer)
  crit_enter()
  for _ = 1, 14 do lwkt_send_ipiq3(gd(peer), relay, 6, 1) end
  crit_exit()
end
function cpu0() exchange(1) end
function cpu1() exchange(0) end

case "as written: ten levels, and the assertion fails"
possible (panic)

case "control: inside a callback a sender waits only if it is nearly full"
mutant "nested_room"
never { panic, stuck, lost_message }
certain (function() return received[0] + received[1] == 28 * 7 end)
