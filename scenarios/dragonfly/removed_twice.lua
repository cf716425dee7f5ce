-- SPDX-License-Identifier: BSD-2-Clause
scenario "a thread leaves a sleep queue, and is removed from it meanwhile"
origin   "kern_synch.c; fixed 2011-11-15, 957625b2e8"

--   cpu0   is on the queue of x; wants y: is queued?
--          [Xipiq: wakeup(x) removes it]         removes itself once more

system "dragonfly" { cpus = 2 }

local x, y = object "int", object "int"

function cpu0()
  for _ = 1, 10 do tsleep_interlock(x, 0)  tsleep_interlock(y, 0) end
end
function cpu1() for _ = 1, 10 do wakeup(x)  wakeup(y) end end

case "outside of a critical section"
mutant "tsleep_remove_open"  possible (panic)
case "the fix: in one"
reach (enter(0, _wakeup))
never { panic, stuck }
