-- SPDX-License-Identifier: BSD-2-Clause
scenario "a bit for all idents of a bucket cannot say that a wakeup has come"
origin   "kern_synch.c, 2009-07-14: d9345d3a15, and again ae8e83e6e9"

-- First fix of interlock_by_critical_section.lua: whoever empties the bucket
-- clears the bit, and tsleep() looks at it. But a neighbour, another thread of
-- cpu0 with another ident, keeps the bit; or takes it away when it is woken.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8, THREADS = 1 }

local ident, other = object "int", object "int"
local asleep = stuck { cpu = 0, inside = tsleep }

local function story()
  crit_enter()  tsleep_interlock(ident, 0)   mark  "interlocked"
  await "mail for cpu0"  wakeup(other)                -- waits for room
  mark  "served"  await "cpu1 is done"
  tsleep(ident, 0x400, nil, 0)  crit_exit()   -- PINTERLOCKED
end
local function neighbour() thread_create(neighbour_sleeps, ident) lwkt_yield() end
function cpu0() flood_passive(2, 5)  neighbour()  story() end
local function cpu1_wakes(f, g)
  await "interlocked"  f(ident)  mark "mail for cpu0"
  await "served"  g(ident)  mark "cpu1 is done"
end
function cpu1() cpu1_wakes(wakeup, get) end
function cpu2() tsleep_interlock(other, 0) end

case "the first fix"                     mutant "tsleep_200907"
function cpu0() flood_passive(2, 5)  story() end
never (stuck)
case "the first fix, with a neighbour"   mutant "tsleep_200907"
possible (asleep)
case "2005: the neighbour is woken, and then nobody asks cpu0"
function cpu1() cpu1_wakes(wakeup_neighbour, wakeup) end
mutant "tsleep_200511"  possible (asleep)
case "the second fix: both"              never (stuck)
case "the second fix: the neighbour woken"
function cpu1() cpu1_wakes(wakeup_neighbour, wakeup) end
never (stuck)
