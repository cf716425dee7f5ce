-- SPDX-License-Identifier: BSD-2-Clause
scenario "a message is waited for, and counts as executed before it is over"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_process_ipiq_core(): 'xindex is only \z
          updated after we are sure the function has finished execution'"

--   cpu1   message 1: send_nop ▶ full ▶ nested loop: message 2
--            xindex = rindex = 2, and message 1 is still in its loop
--   cpu0   lwkt_wait_ipiq(cpu1, 1): 2 - 1 is not negative: returns
-- The inner loop is on the same FIFO, as message 2 has set cpu0's bit again;
-- its "xindex = rindex" counts all that was taken, and not what is over.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local unfinished = region(send_nop)
local returned   = leave(0, lwkt_wait_ipiq)

function cpu0()
  await "full"  crit_enter()
  local seq = lwkt_send_ipiq3(gd(1), send_nop, 0, 2)
  lwkt_send_ipiq3(gd(1), nop, 0, 0)
  lwkt_wait_ipiq(gd(1), seq)
  crit_exit()
end
function cpu2() crit_enter()  get(gd(2))  crit_exit() end

case "message 1 waits for room, and executes message 2 meanwhile"
function cpu1() flood_passive(2, 5)  mark "full" end
possible (returned & unfinished(1))

case "control: there is room, so that it does not wait"
function cpu1() flood_passive(2, 3)  mark "full" end
reach (returned)
never (returned & unfinished(1))
