-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: threads sleep, some for so many ticks only"
origin   "kern_synch.c; fixed 2011-11-15, 4643740aa6: TDF_TIMEOUT_RUNNING"

-- Who sleeps without a timeout goes on when somebody wakes him, and not sooner.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8, THREADS = 1 }
explore { runs = 600 }

local idents = { object "int", object "int" }
local wakeups, waking, asleep, early = { 0, 0 }, 0, 2, false

local function sleeper()
  lapic_timer_periodic(400)
  for _ = 1, 6 do
    local n, ticks = choose(2), choose(3) - 1
    local before = waking == n or wakeups[n]        -- a wakeup is on its way
    tsleep(idents[n], 0, nil, ticks)
    if ticks == 0 and before == wakeups[n] then early = true end
  end
  asleep = asleep - 1
end
function cpu0() sleeper() end
function cpu1() sleeper() end
function cpu2()
  while asleep > 0 do
    local n, holds = choose(2), choose(2) == 1
    if holds then lwkt_gettoken(proc_token) end
    wakeups[n], waking = wakeups[n] + 1, n
    wakeup(idents[n])
    if holds then lwkt_reltoken(proc_token) end
    wait_for(nil, 0, nil)  wait_for(nil, 1, nil)
    waking = 0
    receive_slowly(nil, choose(100), nil)
  end
end

local function too_early() return early end

case "a timeout comes upon whatever its thread sleeps on by now"
mutant "endtsleep_alone"
possible (too_early)

case "control: who is woken waits for a timeout that works on him"
never { too_early, stuck, panic }
