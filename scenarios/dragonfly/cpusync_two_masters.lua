-- SPDX-License-Identifier: BSD-2-Clause
scenario "two cpus cpusync each other at the same time"
origin   "lwkt_ipiq.c 1f2824e8: 'Place specified cpus in a quiescent state.'"

-- A master waits for its acknowledgements by executing incoming IPIs.  So it
-- can acknowledge the other master from inside its own wait -- and then leave.

system "dragonfly" { cpus = 2 }

local T        = "struct lwkt_cpusync"
local cs       = { [0] = object(T), object(T) }
local believes = region { after  = lwkt_cpusync_interlock,
                          before = lwkt_cpusync_deinterlock }

local function master(self, other)
  lwkt_cpusync_init(cs[self], cpumask(other), nop, 0)
  lwkt_cpusync_interlock(cs[self])
  lwkt_cpusync_deinterlock(cs[self])
end

function cpu0() master(0, 1) end
function cpu1() master(1, 0) end

case "both masters believe the other one is quiescent"
possible (believes(0) & believes(1))

case "yet neither hangs, and nobody touches a cpusync that its master dropped"
never { stuck, panic }
never (touch(cs[0]) :after (leave(0, lwkt_cpusync_deinterlock)))
never (touch(cs[1]) :after (leave(1, lwkt_cpusync_deinterlock)))

case "control: one master after the other"
function cpu0() master(0, 1)  mark  "cpu0 is done" end
function cpu1() await "cpu0 is done"  master(1, 0) end
reach { believes(0), believes(1) }
never (believes(0) & believes(1))
