-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: some cpus have much to say"
origin   "lwkt_ipiq.c 1f2824e8: 'while (lwkt_process_ipiq_core(...)) ;'"

-- How many others may a message let pass? Nobody says, but three times all that
-- fit into a FIFO are many.

local D = 8
system "dragonfly" { cpus = 3, MAXCPUFIFO = D }
explore { runs = 300 }

local when, before = {}, {}
for n = 0, 23 do when[n] = object "int" end

local function storm(self, most)
  for n = self, 23, 3 do
    local target = (self + choose(2)) % 3
    if choose(2) == 1 then
      for _ = 1, choose(most) do
        lwkt_send_ipiq3(gd(target), receive_slowly, 0, 40)
      end
    else
      before[n] = received[target]
      lwkt_send_ipiq3(gd(target), note_received, when[n], 0)
    end
  end
end
local function all(most)
  for n = 0, 2 do _ENV["cpu" .. n] = function() storm(n, most) end end
end
local function overtaken()
  for n = 0, 23 do
    if before[n] and when[n][0] - before[n] > 3 * D then return true end
  end
end

case "who has much to say keeps others waiting"
all(60)  possible (overtaken)
case "control: cpus that say less"
all(2)   never { overtaken, stuck, panic, lost_message }
