-- SPDX-License-Identifier: BSD-2-Clause
scenario "two callbacks wait for what the other cpu has claimed"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_wait_ipiq(): 'may be called from an \z
          interrupt'"

--   cpu1   claims cpu0's mail and cpu2's; executes cpu0's: wait for cpu2
--   cpu2   claims cpu0's mail and cpu1's; executes cpu0's: wait for cpu1
-- One message each way is enough.  The nested look finds no bit set.

system "dragonfly" { cpus = 3 }

local rule = breach "no waiting for a message inside a callback"

local function one_message(self, peer)
  crit_enter()
  lwkt_send_ipiq3_passive(gd(peer), nop, 0, 0)  mark (self .. " has one")
  await "both are told to wait"
  crit_exit()
end
function cpu1() one_message(1, 2) end
function cpu2() one_message(2, 1) end
function cpu0()
  tsc_frequency = 5000                    -- ten seconds are short, then
  await "1 has one"  await "2 has one"
  lwkt_send_ipiq3(gd(1), wait_for, 0, 2)
  lwkt_send_ipiq3(gd(2), wait_for, 0, 1)
  mark "both are told to wait"
end

case "both wait, until they panic after ten seconds"
possible { rule, panic }

case "control: the stories wait, and not callbacks"
function cpu0() await "1 has one"  await "2 has one"
                mark "both are told to wait" end
function cpu1() one_message(1, 2)  lwkt_send_ipiq3(gd(2), nop, 0, 0)
                wait_for(0, 2, nil) end
function cpu2() one_message(2, 1)  lwkt_send_ipiq3(gd(1), nop, 0, 0)
                wait_for(0, 1, nil) end
never { rule, stuck, panic }
