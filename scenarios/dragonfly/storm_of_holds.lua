-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: cpus hold each other still, and poll meanwhile"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_process_ipiq(): 'do not reflag'; \z
          d5b2d319bb, 2011-01-10"

-- Masters do not exclude each other, but none of them must wait for ever.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
explore { runs = 700, steps = 100000 }    -- it takes some 10000

local T, cs = "struct lwkt_cpusync", {}
for n = 0, 2 do cs[n] = object(T) end
local done, synced = 0, 0

local function storm(self)
  for _ = 1, 4 do
    local held = choose(3)                -- one of the others, or both
    local mask = held == 3 and 7 or cpumask((self + held) % 3)
    synced = synced + (held == 3 and 3 or 1)
    lwkt_cpusync_init(cs[self], mask, receive, 0)
    lwkt_cpusync_interlock(cs[self])
    if choose(2) == 1 then splz_check() end
    lwkt_cpusync_deinterlock(cs[self])
  end
  done = done + 1
end
for n = 0, 2 do _ENV["cpu" .. n] = function() storm(n) end end

case "who is held and a master flags itself again: splz() has no end"
mutant "reflag"
possible (budget)

case "not flagged, and what is left is not looked at"
mutant "no_laggards"
possible (stuck)

case "control"
explore { steps = 3000000 }
never { stuck, budget, panic, lost_message, function()
  return done == 3 and received[0] + received[1] + received[2] ~= synced
end }
