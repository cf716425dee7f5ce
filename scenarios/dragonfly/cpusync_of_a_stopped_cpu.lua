-- SPDX-License-Identifier: BSD-2-Clause
scenario "a cpu that is stopped is waited for, but was never asked"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_cpusync_interlock(); since d5b2d319bb, \z
          2011-01-10, it counts whom it wants and not whom it reached"

--   interlock: mask = cs_mask                    cpu2
--              lwkt_send_ipiq_mask(mask): leaves stopped cpus out
--              wait until cs_mack == mask           cpu2

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
mutant "sync_once"                        -- sync_reads_dead_frame.lua says why

local function sync() lwkt_cpusync_simple(cpumask(2), receive, 0) end

function cpu0() stop_cpus(cpumask(2))  sync() end

case "lwkt_cpusync_interlock() polls for ever"
certain (stuck)
possible (stuck { cpu = 0, inside = lwkt_cpusync_interlock })

case "lwkt_synchronize_ipiqs() sleeps for ever"
function cpu0() stop_cpus(cpumask(2))  lwkt_synchronize_ipiqs(nil) end
certain (stuck)
possible (stuck { cpu = 0, inside = tsleep })

case "control: stopped cpus are asked as well; they do execute messages"
mutant { "sync_once", "send_to_stopped" }
function cpu0()
  stop_cpus(cpumask(2))  sync()  lwkt_synchronize_ipiqs(nil)
  restart_cpus(cpumask(2))
end
never (stuck)
certain (function() return received[2] == 1 end)

case "control: it is started again before"
function cpu0()
  stop_cpus(cpumask(2))  restart_cpus(cpumask(2))
  sync()  lwkt_synchronize_ipiqs(nil)
end
never (stuck)
