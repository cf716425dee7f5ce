-- SPDX-License-Identifier: BSD-2-Clause
scenario "a message's index is visible before the message"
origin   "lwkt_ipiq.c 1f2824e8: cpu_sfence() before '++ip->ip_windex;'"

--   cpu0   func, arg1, arg2 into the slot   cpu_sfence()   ++windex
--   cpu1                                    reads windex, then the slot
-- On x86-64 cpu_sfence() is no instruction, as stores become visible in order
-- anyway.  Where they do not, the slot is still empty, or has the message of
-- the round before: count_in_order() panics, and so does a call of nothing.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local last = { [0] = object "int", object "int" }

local function send(target)
  for n = 1, 40 do
    lwkt_send_ipiq3(gd(target), count_in_order, last[target], n)
  end
end

function cpu0() send(1) end
function cpu1() send(0) end

case "as compiled for x86, on a machine that lets stores pass stores"
memory "pso,depth=4"  explore { runs = 10000 }
possible { panic, breach "each message is executed once, in order" }

case "as written in the source, on the same machine"
memory "pso,depth=4,barriers=source"
never (panic)
certain (function() return last[0][0] == 40 and last[1][0] == 40 end)

case "compiled as from 2009 to 2011: cpu_sfence() is an instruction"
mutant "real_sfence"  memory "pso,depth=4"
never (panic)

case "as compiled for x86, on x86"
memory "tso"
never (panic)
