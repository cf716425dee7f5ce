-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: a debugger stops cpus, and clocks tick"
origin   "33bb509e58, 2009-03-28: crit_enter() before the cpus are stopped"

-- A tick is the interrupt of a device, too, whose thread is on cpu2. The others
-- send to each other, and may be stopped at any moment.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
mutant { "deaf_stop", "handlers_cli", "device_ticks" }     -- as in 2009
explore { runs = 400 }

local function debugger(in_crit)
  for _ = 1, 4 do
    local stops = choose(3) << 1          -- cpu1, cpu2, or both
    if in_crit then crit_enter() end
    stop_cpus(stops)
    for _ = 1, choose(10) do
      lapic_timer_oneshot(choose(50))  receive_slowly(nil, choose(50), nil)
    end
    restart_cpus(stops)
    if in_crit then crit_exit() end
  end
end
local function storm(peer)
  for _ = 1, choose(20) do lwkt_send_ipiq3(gd(peer), receive, 0, 0) end
end
function cpu1() storm(2) end
function cpu2() storm(1) end

case "not in a critical section"
function cpu0() debugger(false) end
possible { stuck, breach "no waiting with interrupts off" }

case "control: in one, an interrupt leaves a flag"
function cpu0() debugger(true) end
never { stuck, panic, lost_message }
