-- SPDX-License-Identifier: BSD-2-Clause
scenario "a message is read before its index"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_process_ipiq_core(); its fences were \z
          moved in 2005, 2010 and 2011: 35238fa584, 562273eaa0, d5b2d319bb"

--   cpu0   fills the slot   cpu_sfence()   ++windex
--   cpu1   wi = windex   cpu_lfence()   ri = rindex   cpu_lfence()   the slot
-- The fences of cpu1 do nothing on x86, where loads are not late.  Where they
-- are, it may know of the message and still read the slot as it was before.
-- cpu0 keeps its order in all cases: barriers=source.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }
memory "weak,barriers=source"

local last = object "int"

function cpu0()
  for n = 1, 12 do lwkt_send_ipiq3(gd(1), count_in_order, last, n) end
end

case "as written"
never (panic)
certain (function() return last[0] == 12 end)

case "without the lfence after windex: the other one is enough"
mutant "no_index_lfence"                        never (panic)

case "without the lfence before the slot: likewise"
mutant "no_slot_lfence"                         never (panic)

case "without both: an empty slot, or an old message"
mutant { "no_index_lfence", "no_slot_lfence" }
possible { panic, breach "each message is executed once, in order" }

case "on a machine whose loads are never late nobody needs them"
memory "pso,barriers=source"
mutant { "no_index_lfence", "no_slot_lfence" }  never (panic)
