-- SPDX-License-Identifier: BSD-2-Clause
scenario "a talkative cpu with a low number keeps others waiting"
origin   "lwkt_ipiq.c 1f2824e8: 'while (lwkt_process_ipiq_core(...)) ;'"

-- FIFOs are served lowest cpu first, and each until it is empty.  cpu0 can
-- fill its own as fast as cpu1 empties it; cpu2's one message is claimed, and
-- waits.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local before, when = 0, object "int"      -- of cpu0's messages to cpu1

local function talk(count)
  for _ = 1, count do lwkt_send_ipiq3(gd(1), receive_slowly, 0, 40) end
end
function cpu0() talk(60) end
function cpu2()
  lwkt_send_ipiq3(gd(1), note_received, when, 0)
  before = received[1]
end

local function overtaken() return when[0] - before > 3 * 8 end

case "as written: three FIFOs full overtake one message"
possible (overtaken)

case "control: a cpu that does not say more than fits"
function cpu0() talk(8) end
never (overtaken)
