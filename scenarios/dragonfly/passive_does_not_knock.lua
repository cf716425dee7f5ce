-- SPDX-License-Identifier: BSD-2-Clause
scenario "a passive sender leaves gd_npoll to those who knock"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_send_ipiq3_passive(): 'Do not signal the \z
          target cpu'"

-- gd_npoll == 1 says: somebody has knocked.  Who takes it and does not knock
-- makes everybody else believe that.

system "dragonfly" { cpus = 3 }

function cpu0() lwkt_send_ipiq3_passive(gd(1), receive, 0, 0) end
function cpu2() lwkt_send_ipiq3(gd(1), receive, 0, 0) end

local function active_is_lost() return gd(2).gd_ipiq[1].ip_xindex == 0 end

case "as written: an active message always arrives"
never (active_is_lost)

case "control: a passive sender that takes gd_npoll"
mutant "passive_takes_npoll"
possible (active_is_lost)
