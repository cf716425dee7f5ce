-- SPDX-License-Identifier: BSD-2-Clause
scenario "messages are sent to a cpu that is not up yet"
origin   "4dd1b99459, 2016-09-21: the vkernel left gd_npoll set"

--   cpu0   sends: gd_npoll = 1, and cpu_send_ipiq() drops the IPI, as cpu1
--          is not in smp_active_mask
--   cpu1   comes up.  Who sends now finds that somebody has knocked.

system "dragonfly" { cpus = 2 }

function cpu0()
  await "cpu1 is down"
  lwkt_send_ipiq3(gd(1), receive, 0, 0)
  mark "sent"
  lwkt_send_ipiq3(gd(1), receive, 0, 0)
end
function cpu1()
  crit_enter()  smp_active_mask = cpumask(0)  mark "cpu1 is down"
  await "sent"
  ap_finish()  crit_exit()
end

case "the newcomer does not look"
mutant "no_ap_poll"
certain (lost_message)

case "control: it looks once, after it has entered smp_active_mask"
never (lost_message)
