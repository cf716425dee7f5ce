-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: messages are waited for, and some take their time"
origin   "3ec72a5566, 2013-06-27: who counts rounds takes a slow cpu for dead"

-- Callbacks last up to 1000 times as long as others, as if a host had taken the
-- cpu away. Ten seconds they do not last.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
explore { runs = 10, steps = 10000000 }

local done, sent = 0, 0

local function storm(self)
  for _ = 1, 3 do
    local other, long = (self + choose(2)) % 3, 4 << choose(10)
    sent = sent + 1
    lwkt_send_ipiq3(gd(other), receive_slowly, 0, long)
    if choose(2) == 1 then wait_for(0, other, nil) end
  end
  done = done + 1
end
for n = 0, 2 do _ENV["cpu" .. n] = function() storm(n) end end

case "rounds are counted"
mutant "count_not_clock"
possible (panic)

case "control: the clock is read"
explore { steps = 40000000 }
never { panic, stuck, budget, lost_message, function()
  return done == 3 and received[0] + received[1] + received[2] ~= sent
end }
