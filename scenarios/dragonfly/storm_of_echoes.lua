-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: echoes of echoes"
origin   "lwkt_ipiq.c 1f2824e8, 'TOO HEAVILY NESTED!'; 2016, 5d920ec6b9"

-- A callback sends, the FIFO is full, so it executes other messages, which
-- send, the FIFO is full ...  Each level adds two to gd_intr_nesting_level.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local done, sent = 0, 0

local function storm(self, relay)
  crit_enter()
  for _ = 1, 16 do
    local left = choose(8) - 1
    sent = sent + 1 + left
    lwkt_send_ipiq3(gd((self + choose(2)) % 3), relay, left, choose(2))
  end
  crit_exit()
  done = done + 1
end
function cpu0() storm(0, relay) end
function cpu1() storm(1, relay) end
function cpu2() storm(2, relay) end

case "as written: too deep, or stuck as in storm_of_sends"
possible { panic, stuck }

case "that it is stuck has a remedy; then it nests too deep"
mutant "rescan"
possible (panic)

case "control: a callback that does not wait"
function cpu0() storm(0, relay_nowait) end
function cpu1() storm(1, relay_nowait) end
function cpu2() storm(2, relay_nowait) end
never { stuck, panic, lost_message, function()
  return done == 3 and received[0] + received[1] + received[2] ~= sent
end }
