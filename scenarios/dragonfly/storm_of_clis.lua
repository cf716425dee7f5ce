-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: messages are sent with interrupts off"
origin   "lwkt_ipiq.c 1f2824e8: 'Interrupts must be physically enabled while \z
          we liveloop'; James Bottomley, 2008: a de facto interrupt enable"

-- The caller wanted no interrupt here.  The sender that waits for room turns
-- them on, and afterwards off again, so that nobody notices.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local off = region { after = cpu_disable_intr, before = cpu_enable_intr }

local rule = breach "no waiting with interrupts off"

local function storm(self, send)
  for _ = 1, 10 do
    cpu_disable_intr()
    for _ = 1, choose(4) do send(gd(1 - self), receive, 0, 0) end
    cpu_enable_intr()
  end
end

case "as written: an interrupt comes where they are off"
function cpu0() storm(0, lwkt_send_ipiq3) end
function cpu1() storm(1, lwkt_send_ipiq3) end
possible { rule, off(0) & enter(0, Xipiq) }

case "control: a sender that does not wait keeps them off"
local function send_or_not(...)
  crit_enter()  lwkt_send_ipiq3_nowait(...)  crit_exit()
end
function cpu0() storm(0, send_or_not) end
function cpu1() storm(1, send_or_not) end
reach (off(0) & enter(1, Xipiq))
never { rule, off(0) & enter(0, Xipiq) }
