-- SPDX-License-Identifier: BSD-2-Clause
scenario "a thread on its way to another cpu has something left to send"
origin   "95858b9186, 2011-03-06, and cc9b6223b2, 2011-03-24: the thread is \z
          handed over after the switch, and nobody spins"

--   cpu0   sends the thread, then what it releases: █ █ █ █ █  waits for room
--   cpu1   has claimed these, and in the first spins until the thread runs no
--          more; it polls, but the rest is claimed already

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

function cpu0() await "cpu1 is busy"  lwkt_setcpu_self(gd(1), 5)  mark "back" end
function cpu1()
  crit_enter()  mark "cpu1 is busy"
  for _ = 1, 60 do nop(nil, 0, nil) end
  crit_exit()
end

case "first the message, then the switch"
possible (stuck { cpu = 0, inside = lwkt_send_ipiq3 })

case "control: first the switch"
mutant "hand_over"
never { stuck, panic }
certain (marked "back")
