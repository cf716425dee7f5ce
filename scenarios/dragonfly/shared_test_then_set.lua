-- SPDX-License-Identifier: BSD-2-Clause
scenario "who holds a spin lock alone has company"
origin   "spinlock2.h, shared spin locks; fixed 2013-10-15, 79a7c522d4"

--   cpu0, shared      +1: it was 0                            sets SHARED
--   cpu1, exclusive                 +1: not 0. Clears SHARED, waits
-- When cpu0 leaves, cpu1 takes the lock with the SHARED bit still in it, and
-- whoever comes to read sees SHARED and walks in.

system "dragonfly" { cpus = 3 }
mutant "spin_shared_201307"

local a       = object "struct spinlock"
local alone   = region { after = spin_lock, before = spin_unlock }
local reading = region { after = spin_lock_shared, before = spin_unlock_shared }

function cpu0() spin_lock_shared(a)  spin_unlock_shared(a) end
function cpu1() spin_lock(a)  nop(nil, 0, nil)  spin_unlock(a) end
function cpu2() spin_lock_shared(a)  spin_unlock_shared(a) end

case "as written in July 2013"
possible (alone(1) & reading(2))

case "the fix: a reader counts itself and sets SHARED at once"
mutant "spin_shared_201310"
reach (reading(0) & reading(2))
never { alone(1) & reading(0), alone(1) & reading(2), stuck }
