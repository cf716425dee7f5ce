-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: cpus are stopped in the middle of a message"
origin   "Xcpustop; bd8015cab2, 2005-07-20: 'even though we could be racing \z
          IPIQ processing if we were interrupted at just the wrong time'"

-- Xcpustop comes in critical sections too, and executes messages.  Where the
-- cpu was between the load of rindex and the store of rindex + 1, both take the
-- same message, and rindex goes back: what came meanwhile is executed again.
-- Where it was filling a slot of gd_cpusyncq, both fill that one.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
explore { steps = 100000 }                -- it takes some 10000
mutant "send_to_stopped"                  -- storm_of_stops.lua says why

local done, sent = 0, 0
local twice = breach "each message is executed once, in order"

function cpu0()
  for _ = 1, 4 do
    local stops = choose(2)
    crit_enter()
    stop_cpus(cpumask(stops))  restart_cpus(cpumask(stops))
    crit_exit()
  end
end
local function storm(peer)
  for _ = 1, 8 do
    sent = sent + 1
    if choose(2) == 1 then lwkt_cpusync_simple(cpumask(peer), receive, 0)
    else lwkt_send_ipiq3(gd(peer), receive, 0, 0) end
  end
  done = done + 1
end
function cpu1() storm(2) end
function cpu2() storm(1) end

case "a stopped cpu executes messages: a message twice, a held cpu for ever"
possible { twice, panic, stuck }

case "control: a stopped cpu executes nothing, as before 2005"
mutant { "send_to_stopped", "deaf_stop" }
never { twice, stuck, panic, lost_message, function()
  return done == 2 and received[1] + received[2] ~= sent
end }
