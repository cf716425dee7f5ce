-- SPDX-License-Identifier: BSD-2-Clause
scenario "who waits to be alone is let in with the readers' bit set"
origin   "kern_spinlock.c; fixed 2017-01-30 to 2020-11-24, e22f2acdde, aab1a0485c"

--   cpu1, exclusive   clears SHARED                         says that it waits
--   cpu0, cpu2               the last reader leaves: 0, a new one: SHARED|1
-- That somebody waits was taken to mean that SHARED is clear. It is not, and
-- when the reader has left, cpu1 owns a lock that admits readers.

system "dragonfly" { cpus = 3 }
mutant "spin_shared_201612"

local a       = object "struct spinlock"
local alone   = region { after = spin_lock, before = spin_unlock }
local reading = region { after = spin_lock_shared, before = spin_unlock_shared }

local function read(times)
  for _ = 1, times do spin_lock_shared(a)  spin_unlock_shared(a) end
end
function cpu0() read(3) end
function cpu1() spin_lock(a)  nop(nil, 0, nil)  spin_unlock(a) end
function cpu2() read(3) end

case "SHARED is cleared first"
possible (alone(1) & reading)

case "the fix: first it says that it waits, then it clears SHARED"
mutant "spin_shared_202011"
reach (reading(0) & reading(2))
never { alone(1) & reading(0), alone(1) & reading(2), stuck }
