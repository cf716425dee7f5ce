-- SPDX-License-Identifier: BSD-2-Clause
scenario "messages are executed outside of a critical section, some twice"
origin   "9d8625ebaa, 2011-10-17: pmap_interlock_wait()"

--   cpu1   lwkt_process_ipiq: reads slot 0 │ ++rindex, executes slot 0
--                                   Xipiq ▶ executes slot 0, ++rindex
-- KKASSERT(curthread->td_critcount) says so, but only with INVARIANTS.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8, INVARIANTS = 0 }

local twice = breach "each message is executed once, in order"
local rule  = breach "process only in a critical section"

function cpu0()
  crit_enter()
  for _ = 1, 4 do lwkt_send_ipiq3_passive(gd(1), receive, 0, 0) end
  crit_exit()
  mark "they are there"
  lwkt_send_ipiq3(gd(1), receive, 0, 0)
end

case "as it was: Xipiq comes between the slot and its index"
function cpu1() await "they are there"  lwkt_process_ipiq() end
certain (rule)
possible (twice)
possible (stuck)            -- rindex has passed windex: never equal again

case "control: in a critical section Xipiq leaves a flag"
function cpu1()
  await "they are there"  crit_enter()  lwkt_process_ipiq()  crit_exit()
end
never { rule, twice, lost_message }
certain (function() return received[1] == 5 end)
