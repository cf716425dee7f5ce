-- SPDX-License-Identifier: BSD-2-Clause
scenario "what a send returns is not the number of its message any more"
origin   "lwkt_ipiq.c 1f2824e8: 'MUST be called from a critical section', above \z
          lwkt_wait_ipiq(); return(ip->ip_windex) after crit_exit()"

--   cpu0   a thread:  seq = lwkt_send_ipiq3(cpu2, m)     moves to cpu1
--   cpu1                  lwkt_wait_ipiq(cpu2, seq): of cpu1's FIFO to cpu2
-- The number counts what cpu0 has sent.  And it is read when crit_exit() has
-- executed what came meanwhile, which may have sent more.

system "dragonfly" { cpus = 3 }

local seq = 0

local function send() seq = lwkt_send_ipiq3(gd(2), receive, 0, 0) end
local function wait()
  crit_enter()  lwkt_wait_ipiq(gd(2), seq)  crit_exit()
  if received[2] == 0 then mark "not executed" end
end
function cpu0() send()  mark "the thread moves" end

case "cpu1 has sent as many before: nothing to wait for, it seems"
function cpu1()
  lwkt_send_ipiq3(gd(2), nop, 0, 0)  wait_for(0, 2, nil)  mark "one is done"
  await "the thread moves"  wait()
end
function cpu0() await "one is done"  send()  mark "the thread moves" end
possible (marked "not executed")

case "cpu1 has sent nothing: it waits for ever (for ten seconds, short ones)"
function cpu1() tsc_frequency = 5000  await "the thread moves"  wait() end
certain (panic)

case "cpu0 has sent one, and is told that it was the second: no harm"
function cpu1() lwkt_send_ipiq3(gd(0), pass_on, 0, 2) end
function cpu0() send()  wait() end
possible (function() return seq == 2 end)
never { marked "not executed", stuck, panic }
