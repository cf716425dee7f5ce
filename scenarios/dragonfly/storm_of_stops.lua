-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: one cpu stops others, and holds cpus still"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_cpusync_interlock(); since d5b2d319bb, \z
          2011-01-10, it counts whom it wants and not whom it reached"

-- lwkt_send_ipiq_mask() leaves stopped cpus out; the wait wants them all.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
explore { steps = 100000 }                -- it takes some 10000

local done, synced, seen = false, 0, object "int"

local function sync(mask, cpus)
  synced = synced + cpus
  lwkt_cpusync_simple(mask, receive, 0)
end

function cpu0()
  for _ = 1, 3 do
    local stops, syncs = choose(2), choose(2)
    crit_enter()
    stop_cpus(cpumask(stops))
    if choose(2) == 1 then sync(cpumask(syncs), 1) end
    restart_cpus(cpumask(stops))
    crit_exit()
    if choose(2) == 1 then sync(cpumask(1, 2), 2) end
  end
  done = true
end
local function storm()
  for _ = 1, choose(12) do lwkt_send_ipiq3(gd(0), count_up, seen, 0) end
end
function cpu1() storm() end
function cpu2() storm() end

case "as written: a master waits for a cpu that it never asked"
possible (stuck { cpu = 0, inside = lwkt_cpusync_interlock })

case "control: stopped cpus are asked as well; they do execute messages"
mutant "send_to_stopped"
never { stuck, panic, lost_message, function()
  return done and received[1] + received[2] ~= synced
end }
