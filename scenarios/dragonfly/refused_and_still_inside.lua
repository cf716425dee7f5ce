-- SPDX-License-Identifier: BSD-2-Clause
scenario "who is refused once takes no message any more"
origin   "1b1e83e245, 2011-07-28: the way out with ENOENT forgot crit_exit()"

--   cpu0   nowait: crit_enter ▶ no room ▶ ENOENT, and still inside
--   cpu1   sends to cpu0: Xipiq only flags it, for ever

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local heard = object "int"

function cpu0()
  flood_passive(1, 5)
  crit_enter()  lwkt_send_ipiq3_nowait(gd(1), nop, 0, 0)  crit_exit()
  mark "refused"
  spin_until(heard)                       -- an interrupt would bring it
end
function cpu1()
  crit_enter()  await "refused"
  lwkt_send_ipiq3(gd(0), count_up, heard, 0)
  crit_exit()
end

case "the critical section is not left"
mutant "enoent_in_crit"
certain (stuck { cpu = 0, inside = spin_until })

case "control: as written"
never (stuck)
