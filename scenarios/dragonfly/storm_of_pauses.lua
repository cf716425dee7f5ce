-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: cpus are stopped for a while, which send and compute"
origin   "b19f40a4c7, 2015-05-17; lwkt_ipiq.c 1f2824e8, lwkt_send_ipiq3(), \z
          e47e3dba26, 2016-07-22"

-- Two cpus tell each other by messages that they have come, and compute until
-- told. The third stops one or both, and may hold the other still meanwhile.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
mutant "deaf_stop"                        -- storm_of_restarts.lua says why
explore { runs = 400 }

local flags = {}
for n = 1, 12 do flags[n] = object "int" end

local function pause(holds)
  for _ = 1, 4 do
    local stops = choose(3)               -- cpu1, cpu2, or both
    receive_slowly(nil, choose(50), nil)
    crit_enter()  stop_cpus(stops << 1)
    receive_slowly(nil, choose(200), nil)
    if holds then lwkt_cpusync_simple((3 - stops) << 1, receive, 0) end
    restart_cpus(stops << 1)  crit_exit()
  end
end
local function storm(self, peer)
  for n = 0, 10, 2 do
    for _ = 1, choose(4) do lwkt_send_ipiq3(gd(peer), receive, 0, 0) end
    lwkt_send_ipiq3(gd(peer), set, flags[n + peer], 1)
    spin_until(flags[n + self])
  end
end
function cpu1() storm(1, 2) end
function cpu2() storm(2, 1) end

case "a cpu goes on, and does not look what has come"
mutant { "deaf_stop", "stop_in_crit" }
function cpu0() pause() end      possible (stuck)
case "as written: who is stopped may have the right to knock at another"
function cpu0() pause(true) end  possible (stuck)
case "control: nobody is held meanwhile"
function cpu0() pause() end      never { stuck, panic, lost_message }
