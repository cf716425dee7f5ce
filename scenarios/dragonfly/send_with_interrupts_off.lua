-- SPDX-License-Identifier: BSD-2-Clause
scenario "a sender turns on the interrupts that its caller had turned off"
origin   "lwkt_ipiq.c 1f2824e8: 'Interrupts must be physically enabled while \z
          we liveloop'; James Bottomley, 2008: a de facto interrupt enable"

--   cli   half = 1   send: full, so sti, wait, cli again   half = 0   sti
--                                  ▲ Xipiq: sees half == 1

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local half, seen = object "int", object "int"

local function half_fill()                -- one more and cpu0 must wait
  for _ = 1, 5 do lwkt_send_ipiq3_passive(gd(1), nop, 0, 0) end
  mark "full"
end
local function update(send)
  cpu_disable_intr()
  set(half, 1)  send(gd(1), nop, 0, 0)  set(half, 0)
  cpu_enable_intr()
end
function cpu0() half_fill()  update(lwkt_send_ipiq3) end
function cpu1()
  crit_enter()  await "full"
  lwkt_send_ipiq3(gd(0), copy_int, half, 0)
  crit_exit()
end

local rule = breach "no waiting with interrupts off"
local function saw_half() return copied[0] == 1 end

case "as written: the callback comes into the middle of the update"
certain (rule)
possible (saw_half)

case "control: a sender that does not wait"
function cpu0()
  half_fill()  crit_enter()  update(lwkt_send_ipiq3_nowait)  crit_exit()
end
never { rule, saw_half }
