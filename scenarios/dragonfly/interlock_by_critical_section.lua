-- SPDX-License-Identifier: BSD-2-Clause
scenario "a sleep that is interlocked by a bit and a critical section"
origin   "Matthew Dillon, kernel@, 2005-11-16, 'lockmgr interlock spinlock ...'"

--   crit_enter();   tsleep_interlock(ident);      -- sets cpu0's bit
--                       <- wakeup() by another cpu: sends an IPI
--   tsleep(ident);      <- which is served here, in the next thread
-- In between cpu0 releases the resource, and that may be a wakeup() as well.
-- If it has to wait for room in a FIFO, cpu0's own messages are served *there*.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local PINTERLOCKED = 0x400
local ident, other = object "int", object "int"
local asleep = stuck { cpu = 0, inside = tsleep }

local function sleep_on_cpu0()
  crit_enter()  tsleep_interlock(ident, 0)   mark  "interlocked"
  await "the wakeup is sent"  wakeup(other)           -- release of a lock
  tsleep(ident, PINTERLOCKED, nil, 0)        crit_exit()
end
function cpu0() sleep_on_cpu0() end
function cpu1() await "interlocked"  wakeup(ident)  mark "the wakeup is sent" end
function cpu2() tsleep_interlock(other, 0) end        -- a sleeper for wakeup()

case "as in the mail, with room in the FIFO to cpu2"
mutant "tsleep_200511"
reach (leave(0, tsleep))
never (stuck)

local function no_room() flood_passive(2, 5)  sleep_on_cpu0() end

case "without room"
function cpu0() no_room() end
mutant "tsleep_200511"  possible (asleep)

case "2009: tsleep_interlock() queues the thread"
function cpu0() no_room() end
reach (leave(0, tsleep))
never (stuck)
