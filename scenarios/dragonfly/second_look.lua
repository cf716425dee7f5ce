-- SPDX-License-Identifier: BSD-2-Clause
scenario "a receiver opens its door and looks again"
origin   "lwkt_ipiq.c 1f2824e8: 'Recheck ipimask after releasing gd_npoll.'"

--   cpu1   gd_ipimask is 0 ............. releases gd_npoll   looks again
--   cpu0            gd_ipimask = 1, gd_npoll is taken: does not knock

system "dragonfly" { cpus = 3 }

local function storm()
  for _ = 1, 5 do lwkt_send_ipiq3(gd(1), receive, 0, 0) end
end
function cpu0() storm() end
function cpu2() storm() end

case "as written"
never { lost_message, stuck }
certain (function() return received[1] == 10 end)

case "control: without the second look a message is lost"
mutant "no_recheck"  explore { runs = 20000 }
possible (lost_message)
