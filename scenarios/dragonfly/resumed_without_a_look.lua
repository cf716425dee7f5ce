-- SPDX-License-Identifier: BSD-2-Clause
scenario "a cpu goes on after Xcpustop and does not look what has come"
origin   "b19f40a4c7, 2015-05-17: lockups after leaving the debugger"

--   cpu1   Xcpustop: polls, polls │ Xipiq: only a flag │ may go: iret
-- gd_npoll is taken, so nobody knocks again.

system "dragonfly" { cpus = 3 }

local flag = object "int"

function cpu0() stop_cpus(cpumask(1))  restart_cpus(cpumask(1)) end
function cpu1() spin_until(flag) end            -- computes; not in crit
function cpu2() lwkt_send_ipiq3(gd(1), set, flag, 1) end

case "it goes on without"
mutant "stop_in_crit"
possible (stuck { cpu = 1, inside = spin_until })

case "control: with a look"
mutant { "stop_in_crit", "resume_polls" }
never (stuck)
