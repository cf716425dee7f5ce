-- SPDX-License-Identifier: BSD-2-Clause
scenario "a held cpu lets go of a cpusync that its master then drops"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_cpusync_remote2(): 'cs can be ripped out \z
          at this point'"

--   cpu1   runs cs_func   cs_mack |= 2
--   cpu0                  sees it, and returns: cs is on its stack no more

system "dragonfly" { cpus = 2 }

local cs    = object "struct lwkt_cpusync"
local gone  = leave(0, lwkt_cpusync_deinterlock)

function cpu0()
  lwkt_cpusync_init(cs, cpumask(1), receive, 0)
  lwkt_cpusync_interlock(cs)
  lwkt_cpusync_deinterlock(cs)
  assert(received[1] == 1)
end

case "as written: the bit is the last that is touched"
never (touch(1, cs) :after (gone))

case "control: it acknowledges first and executes then"
mutant "early_ack"
function cpu0()
  lwkt_cpusync_init(cs, cpumask(1), receive, 0)
  lwkt_cpusync_interlock(cs)
  lwkt_cpusync_deinterlock(cs)
end
possible (touch(1, cs) :after (gone))
possible (enter(1, receive) :after (gone))
