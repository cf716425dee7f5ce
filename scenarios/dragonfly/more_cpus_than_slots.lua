-- SPDX-License-Identifier: BSD-2-Clause
scenario "more cpus hold one cpu than its queue has slots"
origin   "3919f5cd3f, 2018-08-17: MAXCPUFIFO from 32 to 256, so that 'no \z
          deadlocks can occur on systems with more than 32 cpu threads'"

--   cpu1 ... cpu9   each masters a cpusync of cpu0
--   cpu0            gd_cpusyncq  █ █ █ █ █ █ █ █  and the ninth?

system "dragonfly" { cpus = 10, MAXCPUFIFO = 8 }
explore { runs = 60 }

local function sync() lwkt_cpusync_simple(cpumask(0), receive, 0) end
for n = 1, 7 do _ENV["cpu" .. n] = sync end

case "nine masters, eight slots: KKASSERT in lwkt_cpusync_remote2()"
function cpu8() sync() end
function cpu9() sync() end
possible (panic)

case "control: seven"
never { panic, stuck }
certain (function() return received[0] == 7 end)
