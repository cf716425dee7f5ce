-- SPDX-License-Identifier: BSD-2-Clause
scenario "interrupts of a device while a debugger has stopped the others"
origin   "33bb509e58, 2009-03-28: crit_enter() before the cpus are stopped; \z
          shown then in a vkernel by a stream of SIGWINCH"

--   cpu0   stop_cpus, debugs: interrupts come, each lwkt_schedule(td of cpu1)
--   cpu1   is stopped, and a vkernel's executes nothing: █ █ █ █ █
--   cpu0   in the sixth waits for room, and its user for his prompt

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }
mutant { "deaf_stop", "handlers_cli", "device_ticks" }     -- as in 2009

local function debug()
  stop_cpus(cpumask(1))
  for _ = 1, 8 do lapic_timer_oneshot(50)  receive_slowly(0, 60, nil) end
  restart_cpus(cpumask(1))
end

case "without a critical section"
function cpu0() debug() end
certain (stuck { cpu = 0, inside = lwkt_send_ipiq3 })
possible (breach "no waiting with interrupts off")     -- until 2010

case "control: in one, an interrupt leaves a flag"
function cpu0() crit_enter()  debug()  crit_exit() end
never { stuck, lost_message }
