-- SPDX-License-Identifier: BSD-2-Clause
scenario "a cpu that loops in the scheduler looks like a bug of the IPI code"
origin   "7fb451cb3c, 2016-07-22: a negative td_contended, 'possibly the \z
          smoking gun', after three days of work on lwkt_ipiq.c"

--   cpu1   lwkt_switch, in a critical section: while (td_contended) ...
--   cpu0   lwkt_send_ipiq3: 'tgt not draining'
-- The sender is who complains.  The finding must name the other.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

function cpu0()
  await "cpu1 has made a mistake"
  for _ = 1, 6 do lwkt_send_ipiq3(gd(1), receive, 0, 0) end
end
function cpu1() td_contended = -1  mark "cpu1 has made a mistake" end

case "negative: lwkt_switch() looks for ever"
mutant "contended"
certain (stuck { cpu = 1, inside = lwkt_switch })
possible (stuck { cpu = 0, inside = lwkt_send_ipiq3 })

case "control: not looked at"
never { stuck, lost_message }
