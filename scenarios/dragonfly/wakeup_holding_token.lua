-- SPDX-License-Identifier: BSD-2-Clause
scenario "wakeup() is called with a token held"
origin   "Matthew Dillon, kernel@, 2013-08-28: 'or a token instead'"

-- The other half of the first remedy. Whoever waits for a token lets other
-- threads run, and messages, and is in no critical section; so there is room
-- again, and nobody's mail can want a token: a callback does not wait.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8, THREADS = 1 }

local a, ident1 = object "struct spinlock", object "int"
local rule      = breach "no IPI operation with a spin lock held"
local waiting   = region(lwkt_send_ipiq3,
                         "cpu_enable_intr();", "DEBUG_POP_INFO();")
local function half_fill(target)          -- one more and the sender must wait
  for _ = 1, 5 do lwkt_send_ipiq3_passive(gd(target), nop, 0, 0) end
end

case "with a token both get it, one after the other"
function cpu0()
  half_fill(1)    lwkt_gettoken(proc_token)  mark "cpu0 holds it"
  wakeup(ident1)  lwkt_reltoken(proc_token)
end
function cpu1()
  tsleep_interlock(ident1, 0)  await "cpu0 holds it"
  lwkt_gettoken(proc_token)  lwkt_reltoken(proc_token)
end
reach (waiting(0))
never { rule, stuck }

case "control: any IPIQ function with a spin lock held, and room or not"
function cpu0()
  half_fill(1)                          spin_lock(a)  mark "cpu0 holds it"
  lwkt_send_ipiq3(gd(1), nop, 0, 0)     spin_unlock(a)
end
function cpu1() await "cpu0 holds it"   spin_lock(a)  spin_unlock(a) end
certain (rule)
possible (stuck { cpu = 1, inside = spin_lock })
