-- SPDX-License-Identifier: BSD-2-Clause
scenario "wakeups that go from cpu to cpu nest too deep"
origin   "1f4f6e0b23, 2008-04-30: the first cpu now tells all the others"

--   cpu0 ── _wakeup ──▶ cpu1 ── _wakeup ──▶ cpu2 █████ busy ──▶ cpu3
-- cpu1 sends from inside the callback, waits for room, executes the next one
-- from cpu0 meanwhile, which sends, and waits ...: "TOO HEAVILY NESTED!"

system "dragonfly" { cpus = 4, MAXCPUFIFO = 8 }

local x, others = object "int", 1         -- sleepers of another domain stay

function cpu0()
  await "1 is there"  await "2 is there"  await "3 is there"
  for _ = 1, 20 do wakeup(x) end
  mark "all are sent"
end
function cpu1() tsleep_interlock(x, others)  mark "1 is there" end
function cpu3() tsleep_interlock(x, others)  mark "3 is there" end
function cpu2()
  tsleep_interlock(x, others)
  crit_enter()  mark "2 is there"
  for _ = 1, 300 do nop(nil, 0, nil) end
  crit_exit()
end

case "in a chain"
mutant "chained_wakeup"
possible (panic)

case "control: each is told by the first, in parallel"
never { panic, stuck, lost_message }
