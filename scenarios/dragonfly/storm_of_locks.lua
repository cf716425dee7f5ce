-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: messages are sent with a spin lock held"
origin   "Matthew Dillon, kernel@, 2013-08-28, 'Question regarding IPIQs'"

-- A sender that waits for room executes messages, and keeps its lock.  One of
-- them may want that lock; or the cpu it waits for spins on it.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local a, rule = object "struct spinlock",
                breach "no IPI operation with a spin lock held"

local function send(self, func, count)
  for _ = 1, count do lwkt_send_ipiq3(gd(1 - self), func, a, 0) end
end
local function storm(self, obeys, func)
  for _ = 1, 12 do
    local count = choose(3)
    if choose(2) == 1 then send(self, func, count)
    else
      spin_lock(a)
      if not obeys then send(self, nop, count) end
      spin_unlock(a)
      if obeys then send(self, nop, count) end
    end
  end
end

case "the message it executes wants the lock"
function cpu0() storm(0, false, nop) end
function cpu1() for _ = 1, 24 do send(1, take_and_drop, 1) end end
possible { rule, stuck { cpu = 0, inside = spin_lock } }

case "the cpu it waits for spins on the lock"
function cpu0() storm(0, false, nop) end
function cpu1() for _ = 1, 24 do spin_lock(a)  spin_unlock(a) end end
possible { rule, stuck { cpu = 1, inside = spin_lock } }

case "control: who obeys the rule sends when it has unlocked"
function cpu0() storm(0, true, take_and_drop) end
function cpu1() storm(1, true, take_and_drop) end
never { rule, stuck, panic, lost_message }
