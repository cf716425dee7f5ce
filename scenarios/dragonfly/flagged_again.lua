-- SPDX-License-Identifier: BSD-2-Clause
scenario "who masters a cpusync and is held in another flags itself for ever"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_process_ipiq(): 'do not reflag'; \z
          d5b2d319bb, 2011-01-10"

--   cpu0   masters {1}, and in its gd_cpusyncq: remote2 of cpu1's
--   splz   RQF_IPIQ? clears it ▶ lwkt_process_ipiq ▶ remote2: still held,
--          queued again ▶ not empty: sets RQF_IPIQ ▶ splz ...
-- cpu1 does the same, and neither comes to let the other go.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local cs = { [0] = object "struct lwkt_cpusync", object "struct lwkt_cpusync" }

local function hold(self, other)
  lwkt_cpusync_init(cs[self], cpumask(other), receive, 0)
  lwkt_cpusync_interlock(cs[self])
  splz_check()                    -- a poll that is allowed where it is held
  lwkt_cpusync_deinterlock(cs[self])
end
function cpu0() hold(0, 1) end
function cpu1() hold(1, 0) end

local function each_once() return received[0] == 1 and received[1] == 1 end

local splz_runs = region(splz)

case "flagged again: two masters in splz(), and no end of it"
mutant "reflag"
explore { steps = 20000 }   -- its indices never repeat: no loop to prove
possible (budget & splz_runs(0) & splz_runs(1))

case "control: as written; who was held is served after --td_cscount"
never { stuck, panic, budget }
certain (each_once)

case "neither flagged nor served: what is left in gd_cpusyncq stays there"
mutant "no_laggards"
possible (stuck { cpu = 0, inside = lwkt_cpusync_deinterlock })
