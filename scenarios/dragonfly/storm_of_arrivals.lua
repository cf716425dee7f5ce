-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: cpus come up while others send to them"
origin   "4dd1b99459, 2016-09-21: the vkernel left gd_npoll set"

-- They come one after the other, each when it likes, and then send as well.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
explore { runs = 1000 }

local done, sent = 0, 0

local function storm(self)
  for _ = 1, choose(12) do
    local target = gd((self + choose(2)) % 3)
    sent = sent + 1
    if choose(3) > 1 then lwkt_send_ipiq3(target, receive, 0, 0)
    else lwkt_send_ipiq3_passive(target, receive, 0, 0) end
  end
  for n = 1, 2 do lwkt_send_ipiq3(gd((self + n) % 3), nop, 0, 0) end
  done = done + 1
end
local function come_up(self)
  smp_active_mask = cpumask(0)            -- before anybody makes a step
  crit_enter()
  if self == 2 then await "cpu1 is up" end
  for _ = 1, choose(40) do nop(nil, 0, nil) end
  ap_finish()  crit_exit()
  mark ("cpu" .. self .. " is up")
  storm(self)
end
function cpu0() storm(0) end
function cpu1() come_up(1) end
function cpu2() come_up(2) end

case "a newcomer does not look"
mutant "no_ap_poll"
possible { stuck, lost_message }

case "control: it looks once it can be knocked at"
never { stuck, panic, lost_message, function()
  return done == 3 and received[0] + received[1] + received[2] ~= sent
end }
