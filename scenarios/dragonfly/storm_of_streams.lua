-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: a stream of messages, from whichever cpu its thread is on"
origin   "392cd266cf, 2011-11-03: a TCP stream within one host was corrupted"

-- The thread is on one cpu at a time, and counts what it sends to cpu2. Where
-- it goes next, and what cpu2 does meanwhile, is left to chance.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
explore { runs = 300 }

local thread, last, n = object "int", object "int", 0

local function storm(waits)
  for _ = 1, 6 do
    word_lock(thread)                     -- it is here now
    for _ = 1, choose(3) do
      n = n + 1
      lwkt_send_ipiq3(gd(2), count_in_order, last, n)
    end
    if waits then wait_for(nil, 2, nil) end
    word_unlock(thread)
  end
end
function cpu2()
  for _ = 1, 8 do
    crit_enter()  receive_slowly(nil, choose(50), nil)  crit_exit()
  end
end

case "order is kept for each cpu, and not for each thread"
function cpu0() storm() end
function cpu1() storm() end
possible (panic)

case "control: before it goes it waits until all is executed"
function cpu0() storm(true) end
function cpu1() storm(true) end
never { panic, stuck, lost_message }
