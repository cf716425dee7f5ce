-- SPDX-License-Identifier: BSD-2-Clause
scenario "what a critical section promises, and what it does not"
origin   "Matthew Dillon, kernel@, 2013-08-28, 'Question regarding IPIQs'"

-- "No asynchronous atomicy breakage", "no guarantees regarding synchronous
-- atomicy", and "you can tsleep() just fine while holding a critical section".

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local n, flag = object "int", object "int"
local section = region { after = crit_enter, before = crit_exit }
local inside  = section(0) & enter(0, count_up)

function cpu1()
  for _ = 1, 3 do lwkt_send_ipiq3(gd(0), count_up, n, 0) end
end

case "with room: interrupts come, and flag what is to be done"
function cpu0() crit_enter()  send_nop(nil, 1, nil)  crit_exit() end
reach (section(0) & enter(0, Xipiq))
never (inside)
certain (function() return n[0] == 3 end)

case "without: a sender that has to wait executes them in place"
function cpu0() flood_passive(1, 5)  crit_enter()  send_nop(nil, 1, nil)
                crit_exit() end
possible (inside)

case "a thread in a critical section sleeps, and its cpu goes on"
function cpu0() crit_enter()  sleep_until(flag)  crit_exit() end
function cpu1() lwkt_send_ipiq3(gd(0), count_up, n, 0)  raise_flag(flag) end
memory "sc"                               -- not under tso: DF-H42
possible (leave(0, tsleep) :after (enter(0, count_up)))
never { stuck, lost_message }
