-- SPDX-License-Identifier: BSD-2-Clause
scenario "the two stages of a cpusync, and when its function runs"
origin   "lwkt_ipiq.c 1f2824e8: 'Execute the run function and adjust \z
          cs_count', above lwkt_cpusync_remote1()"

--   stage 1   remote1 on all: cs_mack 0 -> mask      nobody runs the function
--   stage 2   cs_mack = 0: each runs it, and sets its bit

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local cs     = object "struct lwkt_cpusync"
local stage1 = region(lwkt_cpusync_interlock)
local held   = region { after  = lwkt_cpusync_interlock,
                        before = lwkt_cpusync_deinterlock }
local runs   = enter(1, receive) | enter(2, receive)

local function master(body)
  lwkt_cpusync_init(cs, cpumask(0, 1, 2), receive, 0)
  lwkt_cpusync_interlock(cs)
  assert(cs.cs_mack == cpumask(1, 2))     -- without the master itself
  body()
  lwkt_cpusync_deinterlock(cs)
end
local function each_once()
  return received[0] == 1 and received[1] == 1 and received[2] == 1
end
function cpu0() master(function() get(cs) end) end

case "as written: in stage 1 nobody runs it, in stage 2 everybody once"
never { stage1(0) & runs, held(0) & runs }
certain (each_once)

case "control: the master lets them go early"
function cpu0() master(function() cs.cs_mack = 0  get(cs) end) end
possible { held(0) & runs, stuck }
