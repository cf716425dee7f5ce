-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: cpus wake whoever sleeps, in and out of critical sections"
origin   "kern_synch.c, _wakeup(); 1f4f6e0b23, 2008-04-30"

-- Nobody really sleeps here, but all are on a queue. A wakeup is a message to
-- each cpu whose bit is set, and what it does there it does in a callback.

system "dragonfly" { cpus = 4, MAXCPUFIFO = 8 }
explore { runs = 200 }

local idents = { object "int", object "int" }

local function storm(self)
  local depth = 0
  for _ = 1, 24 do
    local what, ident = choose(4), idents[choose(2)]
    if what == 1 then for _ = 1, choose(12) do wakeup(ident) end
    elseif what == 2 then tsleep_interlock(ident, choose(2) - 1)
    elseif what == 3 then crit_enter()  depth = depth + 1
    elseif depth > 0 then crit_exit()   depth = depth - 1
    end
  end
  for _ = 1, depth do crit_exit() end
end
for n = 0, 3 do _ENV["cpu" .. n] = function() storm(n) end end

case "each cpu tells the next, as until 2008: too deep"
mutant "chained_wakeup"
possible (panic | stuck)

case "control: the first tells all"
never { stuck, panic, lost_message }
