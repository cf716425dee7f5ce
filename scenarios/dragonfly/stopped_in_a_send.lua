-- SPDX-License-Identifier: BSD-2-Clause
scenario "a cpu is stopped in the middle of a send"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_send_ipiq3(); e47e3dba26, 2016-07-22"

--   cpu0   ++windex  │1│  gd_ipimask |= 1  │2│  gd_npoll = 1  │3│  writes the ICR
-- Xcpustop comes at a bar.  Until cpu0 goes on, its message is (1) not seen;
-- (2) seen by who is knocked for another; (3) and nobody knocks for any other.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local stopped   = region(cpustop_interrupt)
local knocked   = stopped(0) & enter(1, Xipiq)
local executed  = stopped(0) & enter(1, count_up)
local n         = object "int"
local function late_but_there() return n[0] == 1 and received[1] == 1 end

function cpu0() lwkt_send_ipiq3(gd(1), count_up, n, 0) end
local function stop_and_send(count)
  stop_cpus(cpumask(0))
  for _ = 1, count do lwkt_send_ipiq3(gd(1), receive, 0, 0) end
  restart_cpus(cpumask(0))
end
function cpu2() stop_and_send(1) end
local function stop(cpu0_is_there)
  assert(cpu0_is_there and run_to(2, stop_cpus, "& map) != map"))
  assert(deliver_ipi(0) and step(0))
end

case "(1) cpu1 is knocked for the other message, and finds only that one"
function schedule() stop(run_to(0, lwkt_send_ipiq3, "atomic_set_cpumask")) end
possible (knocked)  never (executed)  certain (late_but_there)

case "(2) it finds both"
function schedule() while gd(1).gd_ipimask == 0 do step(0) end  stop(true) end
possible { knocked, executed }

case "(3) it is not knocked"
function schedule() stop(run_to(0, cpu_send_ipiq)) end
never (knocked)  certain (late_but_there)

case "(3) and cpu2 has more for it: waits for room, and never restarts cpu0"
function cpu2() stop_and_send(6) end
function schedule() stop(run_to(0, cpu_send_ipiq)) end
certain (stuck { cpu = 2, inside = lwkt_send_ipiq3 })  never (late_but_there)
