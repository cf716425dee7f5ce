-- SPDX-License-Identifier: BSD-2-Clause
scenario "the canary: a claim that is false, so that failing is seen to work"
origin   "house.md: a harness that cannot fail proves nothing"

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local counter = object "int"

function cpu0() lwkt_send_ipiq3(gd(1), count_up, counter, 0) end

case "the message is never executed: this must FAIL"
never (enter(1, count_up))

case "control: of course it is"
reach (enter(1, count_up))
possible (function() return counter[0] == 1 end)
