-- SPDX-License-Identifier: BSD-2-Clause
scenario "of two delayed wakeups one waits for the next section"
origin   "kern_synch.c; fixed 2013-07-11, 2e90abac59 (form reconstructed)"

-- Between wakeup_start_delayed() and wakeup_end_delayed() a thread's wakeups
-- are kept, two at most. All of them have to go out at the end.

system "dragonfly" { cpus = 3, THREADS = 1 }

local early, late = object "int", object "int"

function cpu0()
  await "cpu1 sleeps"  await "cpu2 sleeps"
  wakeup_start_delayed()  wakeup(early)  wakeup(late)  wakeup_end_delayed()
end
function cpu1() tsleep_interlock(early, 0)  mark "cpu1 sleeps"
                tsleep(early, 0x400, nil, 0) end
function cpu2() tsleep_interlock(late, 0)   mark "cpu2 sleeps"
                tsleep(late, 0x400, nil, 0) end

case "the later one holds up the earlier one"
mutant "wakeup_delayed_one"  certain (stuck { cpu = 1, inside = tsleep })
case "the fix: both"
mutant "wakeup_delayed_all"  never (stuck)
