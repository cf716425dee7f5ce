-- SPDX-License-Identifier: BSD-2-Clause
scenario "spin_unlock() does not look at what came in meanwhile"
origin   "kern_spinlock.c; fixed 2019-12-15, e8b1691fcb"

--   cpu0   holds a spin lock     [Xipiq: flagged]    unlocks, goes on computing
--   cpu1   its FIFO to cpu0 is full: waits for room   .   .   .   and waits
-- The flag is looked at by crit_exit() or at the end of the next interrupt.
-- cpu1's wait is as long as cpu0 needs neither; here cpu0 waits for cpu1.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local a, flag = object "struct spinlock", object "int"

local function lock_and_unlock()
  spin_lock(a)    mark "cpu0 holds a"
                  await "the first message is sent"
  spin_unlock(a)
end
function cpu0() lock_and_unlock()  spin_until(flag) end  -- no crit_exit() there
function cpu1()
  await "cpu0 holds a"
  lwkt_send_ipiq3(gd(0), nop, 0, 0)       -- the only one that knocks
  mark  "the first message is sent"
  flood(0, 5)
  set(flag, 1)
end

case "as written: nobody tells cpu0 again"
possible (stuck)

case "the fix: it looks"
mutant "unlock_polls"
never { stuck, lost_message }

case "control: cpu0 enters and leaves a critical section somewhere"
function cpu0()
  lock_and_unlock()  crit_enter()  crit_exit()  spin_until(flag)
end
never { stuck, lost_message }
