-- SPDX-License-Identifier: BSD-2-Clause
scenario "a cpu that spins on something of its own must execute messages"
origin   "lwkt_acquire(), fixed 2008-06-16, df910c235d; the pmap interlock"

--   cpu0   in a critical section: spins until cpu1 says so
--   cpu1   first has to send to cpu0, and its FIFO is full; or holds it still

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local flag = object "int"

local function wait(spin) crit_enter()  spin(flag)  crit_exit() end
function cpu1()
  for _ = 1, 10 do lwkt_send_ipiq3(gd(0), nop, 0, 0) end
  lwkt_cpusync_simple(cpumask(0), nop, 0)
  set(flag, 1)
end

case "with lwkt_process_ipiq() in the loop"
function cpu0() wait(spin_until_polling) end
never { stuck, panic }

case "control: without"
function cpu0() wait(spin_until) end
possible (stuck { cpu = 0, inside = spin_until })
