-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: cpus compute, or spin, until another says so"
origin   "df910c235d, 2008-06-16; f697b97d96, fb8345e665, 2011-01; \z
          9d8625ebaa, 2011-10-17; e8b1691fcb, 2019-12-15"

-- In each round a cpu tells another that it has come, and waits to be told:
-- with interrupts on, or in a critical section and executing messages.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
mutant "unlock_polls"
explore { runs = 500, steps = 200000 }   -- it takes some 10000

local for_ever = stuck | budget           -- or no end in sight
local a, flags = object "struct spinlock", {}
for n = 0, 8 do flags[n] = object "int" end

local function noise(self)
  local what = choose(4)
  if     what == 1 then flood((self + choose(2)) % 3, choose(6))
  elseif what == 2 then lwkt_cpusync_simple(cpumask(0, 1, 2), receive, 0)
  elseif what == 3 then take_and_drop(a, 0, nil)
  else                  crit_enter()  crit_exit() end
end
local function in_crit(spin)
  return function(flag) crit_enter()  spin(flag)  crit_exit() end
end
local function all(...)
  local waits = { ... }
  local function storm(self)
    for round = 0, 6, 3 do
      for _ = 1, choose(4) do noise(self) end
      set(flags[round + (self + 1) % 3], 1)
      waits[choose(#waits)](flags[round + self])
    end
  end
  for n = 0, 2 do _ENV["cpu" .. n] = function() storm(n) end end
end

case "spin_unlock() does not look, and who computes looks neither"
mutant {}  all(spin_until, in_crit(spin_until_polling))  possible (for_ever)
case "a loop that serves nobody"
all(in_crit(spin_until))  possible (for_ever)
case "messages are executed outside of a critical section"
all(spin_until_polling)
possible { panic, breach "process only in a critical section" }
case "control"
explore { steps = 3000000 }
all(spin_until, in_crit(spin_until_polling))
never { for_ever, panic, lost_message }
