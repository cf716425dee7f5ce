-- SPDX-License-Identifier: BSD-2-Clause
scenario "an IPI sneaks in between deschedule and switch"
origin   "cfaeae2ac9, 2011-01-11, 'very annoying lockup'; it took blogbench, \z
          a loop of ps and a week"

--   cpu0   its thread leaves for cpu1 ─▶  splz: held by cpu2's cpusync
--   cpu1   mail of cpu0 and cpu2 claimed; in that of cpu0 it spins until the
--          thread runs no more, and does not get to that of cpu2
--   cpu2   waits until cpu1 is held too

system "dragonfly" { cpus = 3 }

local taking = region(lwkt_setcpu_remote)
local wanted = region(lwkt_cpusync_interlock)

function cpu0() lwkt_setcpu_self(gd(1), 0) end
function cpu2() lwkt_cpusync_simple(cpumask(0, 1), receive, 0) end

case "messages are executed by a thread that is descheduled"
mutant "late_splz"
explore { steps = 30000 }         -- a held cpu never looks the same twice
possible (budget & taking(1) & wanted(2))

case "control: they are not"
never { stuck, panic, budget }
