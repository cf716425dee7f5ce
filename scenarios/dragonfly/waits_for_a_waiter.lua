-- SPDX-License-Identifier: BSD-2-Clause
scenario "two callbacks wait for each other: each is what the other waits for"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_wait_ipiq(): 'may be called from an \z
          interrupt'"

--   cpu0   executes cpu1's message: wait until cpu1 has executed mine
--   cpu1   executes cpu0's message: wait until cpu0 has executed mine
-- Two cpus, a message each, and nothing lies in a FIFO.  So `rescan`, which
-- ends what is told in wait_in_a_callback, finds nothing to execute.

system "dragonfly" { cpus = 2 }
explore { runs = 200 }                      -- each is ten seconds long

local rule = breach "no waiting for a message inside a callback"

local function tell(self, peer, func)
  crit_enter()                              mark (self .. " is in crit")
  await (peer .. " is in crit")
  lwkt_send_ipiq3(gd(peer), func, 0, self)  mark (self .. " has sent")
  await (peer .. " has sent")
  crit_exit()
end
function cpu0() tsc_frequency = 2000  tell(0, 1, wait_for) end
function cpu1() tell(1, 0, wait_for) end

case "both wait, until they panic after ten seconds"
certain { rule, panic }

case "who looks into every FIFO waits as long"
mutant "rescan"
certain { rule, panic }

case "control: one waits in a callback, the other in its story"
function cpu0() tsc_frequency = 2000  tell(0, 1, wait_for)
                wait_for(0, 1, nil) end
function cpu1() tell(1, 0, nop) end
reach (rule)
never { stuck, panic }
