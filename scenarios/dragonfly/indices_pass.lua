-- SPDX-License-Identifier: BSD-2-Clause
scenario "a FIFO is emptied further by a callback than its reader thinks"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_process_ipiq_core(): 'it is possible for \z
          both rindex and windex to advance'"

--   outer loop   wi = 5   message 1 ▶ pass_on ▶ full ▶ nested loop: 2 to 8
--                wi - rindex = 5 - 8: negative, so it is over

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local last = object "int"

local function half_fill(self, target)
  crit_enter()
  for _ = 1, 4 do lwkt_send_ipiq3_passive(gd(target), receive, 0, 0) end
  crit_exit()
end
function cpu0()
  lwkt_send_ipiq3(gd(1), pass_on, 0, 2)
  for n = 1, 20 do lwkt_send_ipiq3(gd(1), count_in_order, last, n) end
end
function cpu1() half_fill(1, 2)  lwkt_send_ipiq3(gd(2), nop, 0, 0) end
function cpu2() half_fill(2, 1) end

case "as written: the comparison is a signed difference"
never { panic, stuck }
certain (function() return last[0] == 20 end)

case "control: compared for equality, it runs round the ring"
mutant "unequal_indices"
possible { panic, breach "each message is executed once, in order" }
