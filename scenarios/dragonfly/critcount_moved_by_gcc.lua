-- SPDX-License-Identifier: BSD-2-Clause
scenario "the compiler ends a critical section before the lock is free"
origin   "thread2.h, spinlock2.h; 2017-10-02, a4d9568036"

--   cpu0   --td_critcount   [Xipiq: its callback wants the lock]   lock = 0
-- Two plain words with nothing between them may change places. Other cpus do not
-- mind; the interrupts of this one do. The mutant has the order of that gcc.

system "dragonfly" { cpus = 2 }

local a = object "struct spinlock"

function cpu0()
  for _ = 1, 20 do spin_lock(a)  spin_unlock(a) end
end
function cpu1()
  for _ = 1, 10 do lwkt_send_ipiq3(gd(0), take_and_drop, a, 0) end
end

case "in the order that gcc made of it"
mutant "unlock_crit_first"
possible (stuck { cpu = 0, inside = spin_lock })

case "with a compiler barrier between them"
reach (enter(0, take_and_drop))
never { stuck, panic }
