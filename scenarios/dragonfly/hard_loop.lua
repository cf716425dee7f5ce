-- SPDX-License-Identifier: BSD-2-Clause
scenario "cpus meet to compare their clocks, and one is asked for more"
origin   "f697b97d96, 2011-01-21, and fb8345e665, 2011-01-23: hard loops \z
          that ignore IPIs, of the TSC and of a dump's pmap"

--   cpu1   in a critical section, waits in a hard loop until all have come
--   cpu0   has to come too, but first masters a cpusync of all the others

system "dragonfly" { cpus = 3 }

local here = object "int"

local function meet(spin)                 -- the third who comes lets all go
  crit_enter()
  atomic_increment(here)
  spin(here, 3)
  crit_exit()
end
local function all_here() return here[0] == 3 end
function cpu0()
  lwkt_cpusync_simple(cpumask(1, 2), receive, 0)
  meet(spin_until_all_polling)
end

case "the loop serves nobody"
function cpu1() meet(spin_until_all) end
function cpu2() meet(spin_until_all) end
possible (stuck { cpu = 0, inside = lwkt_cpusync_interlock })

case "control: it executes messages"
function cpu1() meet(spin_until_all_polling) end
function cpu2() meet(spin_until_all_polling) end
never (stuck)
certain (all_here)
