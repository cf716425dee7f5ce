-- SPDX-License-Identifier: BSD-2-Clause
scenario "wakeup() is called with a spin lock held"
origin   "Matthew Dillon, kernel@, 2013-08-28, 'Question regarding IPIQs'"

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local a, ident1 = object "struct spinlock", object "int"
local rule      = breach "no IPI operation with a spin lock held"
local function half_fill(target)          -- one more and the sender must wait
  for _ = 1, 5 do lwkt_send_ipiq3_passive(gd(target), nop, 0, 0) end end

function cpu1()
  tsleep_interlock(ident1, 0)             -- ident1 has a sleeper on cpu1
  crit_enter()                            -- and cpu1 leaves its own FIFO alone
  await "cpu0 holds a"
  lwkt_send_ipiq3(gd(0), take_and_drop, a, 0)
  mark  "mail that wants a is in cpu0's queue"
  crit_exit()
end

case "as asked: cpu0 waits for room, and the mail it executes wants its lock"
function cpu0()
  half_fill(1)
  spin_lock(a)        mark  "cpu0 holds a"          -- now in a critical section
                      await "mail that wants a is in cpu0's queue"
  wakeup(ident1)
  spin_unlock(a)
end
certain { rule, stuck { cpu = 0, inside = spin_lock } }

case "the second remedy: flag it, unlock, then wake"
function cpu0()
  half_fill(1)
  spin_lock(a)        mark  "cpu0 holds a"
                      await "mail that wants a is in cpu0's queue"
  spin_unlock(a)
  wakeup(ident1)
end
never { rule, stuck }
