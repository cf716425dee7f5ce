-- SPDX-License-Identifier: BSD-2-Clause
scenario "tsleep() gives something up before it has queued the thread"
origin   "kern_synch.c; fixed 2009-08-08, 4ecd8190c7"

--   cpu0   in a critical section: flag is 0    tells cpu1: no room  .  sleeps
--   its own messages are executed there:             flag = 1, wakeup()

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8, THREADS = 1 }

local flag = object "int"

function cpu0()
  gd(0).gd_storythread.td_release = release_tells_next
  flood_passive(1, 5)                     -- one more and it must wait
  sleep_in_crit(flag)
end
function cpu1() lwkt_send_ipiq3(gd(0), raise_flag_here, flag, 0) end

case "as until August 2009"
mutant "tsleep_releases_early"  possible (stuck { cpu = 0, inside = tsleep })

case "the fix: queued first"
mutant "tsleep_releases_late"
reach (leave(0, tsleep))
never (stuck)
