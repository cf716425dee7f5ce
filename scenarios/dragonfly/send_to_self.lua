-- SPDX-License-Identifier: BSD-2-Clause
scenario "a message to the sender itself is a plain call"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_send_ipiq3(): 'Need not be called from \z
          a critical section.'"

--   another cpu:   critical section ▶ callback
--   this cpu:      whatever the caller is in ▶ callback
-- needs_crit() asserts what it finds on every other cpu.

system "dragonfly" { cpus = 2 }

function cpu0() lwkt_send_ipiq3(gd(1), needs_crit, 0, 0) end

case "to another cpu it finds a critical section"
never (panic)
certain (function() return received[1] == 1 end)

case "control: to this one it does not"
function cpu0() lwkt_send_ipiq3(gd(0), needs_crit, 0, 0) end
certain (panic)

case "control: a mask with this cpu in it, likewise"
function cpu0() lwkt_send_ipiq3_mask(cpumask(0, 1), needs_crit, 0, 0) end
certain (panic)

case "who sends to itself enters one"
function cpu0()
  crit_enter()  lwkt_send_ipiq3_mask(cpumask(0, 1), needs_crit, 0, 0)
  crit_exit()
end
never (panic)
certain (function() return received[0] == 1 and received[1] == 1 end)
