-- SPDX-License-Identifier: BSD-2-Clause
scenario "wakeup() is called with a regular lock held"
origin   "Matthew Dillon, kernel@, 2013-08-28: 'use a regular lock'"

-- The first remedy.  Whoever wants a regular lock sleeps, and a cpu that
-- sleeps empties its FIFO; whoever wants a spin lock spins, and does not.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local LK_EXCLUSIVE, LK_RELEASE = 2, 6
local lk, a   = object "struct lock", object "struct spinlock"
local ident1  = object "int"
local rule    = breach "no IPI operation with a spin lock held"
local waiting = region(lwkt_send_ipiq3,
                       "cpu_enable_intr();", "DEBUG_POP_INFO();")

local function half_fill(target)          -- one more and the sender must wait
  for _ = 1, 5 do lwkt_send_ipiq3_passive(gd(target), nop, 0, 0) end end
local function sleeper() tsleep_interlock(ident1, 0)  await "cpu0 holds it" end

case "with a regular lock both get it, one after the other"
function cpu0()
  half_fill(1)    lockmgr(lk, LK_EXCLUSIVE)  mark "cpu0 holds it"
  wakeup(ident1)  lockmgr(lk, LK_RELEASE)
end
function cpu1()
  sleeper()  lockmgr(lk, LK_EXCLUSIVE)  lockmgr(lk, LK_RELEASE)
end
reach (waiting(0))
never { rule, stuck }

case "control: with a spin lock cpu1 spins, and cpu0 waits for cpu1"
function cpu0()
  half_fill(1)    spin_lock(a)  mark "cpu0 holds it"
  wakeup(ident1)  spin_unlock(a)
end
function cpu1() sleeper()  spin_lock(a)  spin_unlock(a) end
certain (rule)
possible (stuck { cpu = 1, inside = spin_lock })
