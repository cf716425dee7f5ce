-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: TLBs are flushed, and messages want a spin lock"
origin   "7d4d6fdb87, 2d910aaf6e, b4b1a37a91, 2010-10-27 to 31; bba35d6657, \z
          2016-09-05"

-- smp_invltlb() waits for all cpus. Any may be in a callback, in a critical
-- section, or spin on a lock: its interrupts are on, and so it answers.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
explore { runs = 600 }

local a, done, sent = object "struct spinlock", 0, 0

local function storm(self)
  for _ = 1, 8 do
    local what, target = choose(5), gd((self + choose(2)) % 3)
    if     what == 1 then smp_invltlb()
    elseif what == 2 then spin_lock(a)  smp_invltlb()  spin_unlock(a)
    elseif what == 3 then lwkt_send_ipiq3(target, take_and_drop, a, 0)
    elseif what == 4 then
      sent = sent + 1  lwkt_send_ipiq3(target, receive, 0, 0)
    else                  crit_enter()  crit_exit() end
  end
  done = done + 1
end
for n = 0, 2 do _ENV["cpu" .. n] = function() storm(n) end end

case "handlers run with interrupts off"
mutant "handlers_cli"
possible (stuck)

case "control: with interrupts on"
never { stuck, panic, lost_message, function()
  return done == 3 and received[0] + received[1] + received[2] ~= sent
end }
