-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: threads move to other cpus, which are held still"
origin   "lwkt_thread.c, lwkt_setcpu_self(); 2008-06-16 to 2011-03-24"

-- Who moves sends itself, may have more to send, and switches. The new cpu
-- takes the thread when it runs no more. Others send, or master a cpusync.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
explore { runs = 300, steps = 200000 }                -- it takes some 10000

local for_ever = stuck | budget           -- or no end in sight

local function storm(self, releases)
  for _ = 1, 5 do
    local what, other = choose(3), (self + choose(2)) % 3
    if     what == 1 then
      lwkt_setcpu_self(gd(other), releases and choose(8) or 0)
    elseif what == 2 then lwkt_cpusync_simple(cpumask(0, 1, 2), receive, 0)
    else                  flood(other, choose(4)) end
  end
end

case "handed over before the switch, with things to release"
for n = 0, 2 do _ENV["cpu" .. n] = function() storm(n, true) end end
possible (for_ever)

case "control: handed over after it"
explore { steps = 3000000 }
mutant "hand_over"
for n = 0, 2 do _ENV["cpu" .. n] = function() storm(n, true) end end
never { for_ever, panic, lost_message }

case "control: with nothing to release"
explore { steps = 3000000 }
for n = 0, 2 do _ENV["cpu" .. n] = function() storm(n, false) end end
never { for_ever, panic, lost_message }
