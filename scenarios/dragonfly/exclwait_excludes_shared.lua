-- SPDX-License-Identifier: BSD-2-Clause
scenario "who sees that somebody waits thinks that no readers' bit is set"
origin   "kern_spinlock.c; fixed 2017-01-30 to 2020-11-24, e22f2acdde, aab1a0485c"

--   cpu1, exclusive   says that it waits                       clears SHARED
--   cpu2, exclusive        says so too, gets the lock, and has it
--   cpu0, shared      has it              leaves        comes again
-- Who waits first clears SHARED, and cpu2 was not the first. But cpu1 has not
-- done it yet, and cpu2 owns a lock that admits readers.

system "dragonfly" { cpus = 3 }
mutant "spin_shared_201702"

local a       = object "struct spinlock"
local alone   = region { after = spin_lock, before = spin_unlock }
local reading = region { after = spin_lock_shared, before = spin_unlock_shared }
local waiting = region(_spin_lock_contested)

local function read()
  for _ = 1, 3 do spin_lock_shared(a)  spin_unlock_shared(a) end
end
local function write()
  for _ = 1, 3 do spin_lock(a)  nop(nil, 0, nil)  spin_unlock(a) end
end
function cpu0() read() end
function cpu1() write() end  function cpu2() write() end

case "the first who waits clears SHARED, and nobody else does"
possible (alone & reading(0))

case "one waits: it has said so before it clears SHARED, and that is enough"
function cpu2() read() end
reach (waiting(1) & reading)
never { alone(1) & reading, stuck }

case "the fix: whoever waits clears SHARED"
mutant "spin_shared_202011"
reach (waiting(1) & waiting(2) & reading(0))
never { alone & reading(0), stuck }
