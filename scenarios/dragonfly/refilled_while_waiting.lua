-- SPDX-License-Identifier: BSD-2-Clause
scenario "who waits for room fills the FIFO again itself"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_send_ipiq3()"

--   cpu2 ── pass_on(cpu1) ──▶ cpu0, which waits for room to cpu1, executes it
--                             meanwhile, and sends: a quarter is never left
-- Nobody hangs, but how long one send takes is up to cpu2.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local most = 0                            -- that cpu1 executed during one send

local function stream(callback)
  for _ = 1, 40 do lwkt_send_ipiq3(gd(0), callback, 0, 1) end
end
function cpu0()
  crit_enter()
  for _ = 1, 20 do
    local before = received[1]
    lwkt_send_ipiq3(gd(1), receive, 0, 0)
    local during = received[1] - before
    if during > most then most = during end
  end
  crit_exit()
end
function cpu2() stream(pass_on) end

local function three_times_over() return most > 3 * 8 end

case "as written: room for all that waits, three times over, and it waits on"
possible (three_times_over | panic)       -- or callbacks_nest.lua

case "control: a stream that is not passed on"
function cpu2() stream(receive) end
never (three_times_over)
