-- SPDX-License-Identifier: BSD-2-Clause
scenario "an interrupt between the test of the ICR and the write to it"
origin   "c17a6852f8, 2011-11-11, whose author calls the hardware's part a \z
          conjecture; here it is injected: mutant eoi_drops"

--   cpu0   ICR idle?  yes │ Xipiq from cpu2, EOI: busy │ writes: dropped
--          gd_npoll of cpu1 stays 1: nobody will ever knock there again

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

function cpu0() lwkt_send_ipiq3(gd(1), receive, 0, 0) end
function cpu2() lwkt_send_ipiq3(gd(0), receive, 0, 0) end

case "interrupts on, and the fault: the knock is lost, and with it the message"
mutant { "icr_open", "eoi_drops" }
possible (lost_message)

case "and who sends more waits for ever"
mutant { "icr_open", "eoi_drops" }
function cpu0() for _ = 1, 6 do lwkt_send_ipiq3(gd(1), receive, 0, 0) end end
possible (stuck { cpu = 0, inside = lwkt_send_ipiq3 })

case "control: as written, interrupts off"
mutant "eoi_drops"
never { lost_message, stuck }

case "control: interrupts on, but no such fault"
mutant "icr_open"
never { lost_message, stuck }
