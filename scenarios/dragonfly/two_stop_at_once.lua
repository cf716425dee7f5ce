-- SPDX-License-Identifier: BSD-2-Clause
scenario "two cpus say at once that they have stopped, and that they go on"
origin   "Xcpustop, restart_cpus(): each bit of stopped_cpus and \z
          started_cpus is set and cleared by a LOCKed instruction"

--   cpu0   stop_cpus(): waits for both bits of stopped_cpus
--   cpu1   stopped_cpus |= 1      cpu2   stopped_cpus |= 2
-- A bit that is lost is waited for for ever.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local both = cpumask(1, 2)

function cpu0()
  for _ = 1, 3 do
    crit_enter()
    stop_cpus(both)  restart_cpus(both)
    crit_exit()
  end
end

case "as written"
never { stuck, panic }

case "control: nobody starts them again"
function cpu0() stop_cpus(both) end
certain (stuck)
