-- SPDX-License-Identifier: BSD-2-Clause
scenario "a sender that never waits writes over messages that nobody has read"
origin   "8e449c5bbe, 2005-04-18: the limit of lwkt_send_ipiq_nowait() was \z
          D*3/2 and became D*2/3"

--   cpu1   in a critical section: reads nothing
--   cpu0   sends D+1 messages, and the ninth lies on the first
--            █ █ █ █ █ █ █ █    windex - rindex = 9 > 8
-- cpu1 then executes the ninth twice, and the first never.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local first, ninth = object "int", object "int"

function cpu0()
  await "cpu1 is in its critical section"
  crit_enter()
  lwkt_send_ipiq3_nowait(gd(1), count_up, first, 0)
  for _ = 1, 7 do lwkt_send_ipiq3_nowait(gd(1), receive, 0, 0) end
  lwkt_send_ipiq3_nowait(gd(1), count_up, ninth, 0)
  crit_exit()
  mark "sent"
end
function cpu1()
  crit_enter()  mark "cpu1 is in its critical section"
  await "sent"  crit_exit()
end

case "the limit upside down"
mutant "hysteresis"
certain (function() return first[0] == 0 and ninth[0] == 2 end)
possible { breach "no message is written over one that waits",
           breach "each message is executed once, in order" }

case "control: as written, the sixth and all after it are refused"
certain (function() return first[0] == 1 and received[1] == 4 end)
never (function() return ninth[0] > 0 end)
