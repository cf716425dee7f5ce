-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: many messages are passed on"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_send_ipiq3()"

-- How many may be taken out of a FIFO until one send has room in it? Nobody
-- says, but three times all that fit are many.

local D = 8
system "dragonfly" { cpus = 3, MAXCPUFIFO = D }
mutant "rescan"                           -- or it is stuck, as storm_of_sends
explore { runs = 200 }

local longest = 0

local function storm(self, callback, most)
  for _ = 1, 6 do
    local target = (self + choose(2)) % 3
    local fifo = gd(self).gd_ipiq[target]
    for _ = 1, choose(most) do
      local read = fifo.ip_rindex
      lwkt_send_ipiq3(gd(target), callback, 0, 3 - self - target)
      longest = math.max(longest, fifo.ip_rindex - read)
    end
  end
end
local function all(...)
  local what = { ... }
  for n = 0, 2 do
    _ENV["cpu" .. n] = function() storm(n, what[1], what[2]) end
  end
end
local function for_long() return longest > 3 * D end

case "who waits for room fills the FIFO again itself"
all(pass_on, 60)  possible { for_long, for_long | panic }
case "control: nothing is passed on"
all(receive, 60)  never { for_long, stuck, panic, lost_message }
