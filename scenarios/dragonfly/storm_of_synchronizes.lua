-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: cpus wait until all others have looked"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_sync_ipiq(), lwkt_synchronize_ipiqs()"

-- The mask of those who have not looked yet is on the requester's stack.
-- Each clears its bit, and then reads the mask again: is it the last?

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local function storm(self)
  for _ = 1, 6 do
    if choose(2) == 1 then crit_enter()  crit_exit() end
    lwkt_send_ipiq3(gd((self + choose(2)) % 3), receive, 0, 0)
  end
end
function cpu0()
  for _ = 1, choose(3) do lwkt_send_ipiq3(gd(choose(2)), nop, 0, 0) end
  lwkt_synchronize_ipiqs(nil)
end
function cpu1() storm(1) end
function cpu2() storm(2) end

local twice = enter(1, wakeup) :after (enter(2, wakeup))
local dead  = breach "no touch of a dead object of a stack"

case "as written: two are the last, and one reads a frame that is gone"
possible { twice, dead }

case "control: the clear itself says who was the last"
mutant "sync_once"
never { twice, dead, stuck, panic, lost_message }
