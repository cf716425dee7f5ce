-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: who falls asleep gives something up, and that is told"
origin   "kern_synch.c; fixed 2009-08-08, 4ecd8190c7"

-- A flag that only messages of its own cpu raise needs no interlock: a critical
-- section is enough. What a sleeper gives up it tells the next cpu.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8, THREADS = 1 }
explore { runs = 600 }

local flags = {}
for n = 0, 8 do flags[n] = object "int" end

local function storm(self)
  gd(self).gd_storythread.td_release = release_tells_next
  for round = 0, 6, 3 do
    for _ = 1, choose(4) do
      if choose(2) == 1 then flood_passive((self + choose(2)) % 3, choose(6))
      else wakeup(flags[choose(9) - 1]) end
    end
    local other = (self + 1 + round % 2) % 3
    lwkt_send_ipiq3(gd(other), raise_flag_here, flags[other + round], 0)
    while flags[self + round][0] == 0 do sleep_in_crit(flags[self + round]) end
  end
end
function cpu0() storm(0) end
function cpu1() storm(1) end
function cpu2() storm(2) end

case "first it gives up, and then it queues itself"
mutant "tsleep_releases_early"  possible (stuck)

case "control: the other way round"
mutant "tsleep_releases_late"   never { stuck, panic }
