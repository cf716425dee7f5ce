-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: memory is freed on other cpus, and zones are given up"
origin   "df9daea899, 2010-09-29: kfree_remote() counts what is in flight"

-- Other cpus have chunks of a zone of cpu0, and free them. It gives the zone up
-- when nothing of it is used, and looks now and then.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local zone, freed = object "struct zone", breach "no touch of freed memory"
local used = 0

local function storm()
  await "it is there"
  for _ = 1, 6 do
    if choose(2) == 1 then lwkt_send_ipiq3(gd(0), receive, 0, 0)
    elseif used > 0 then used = used - 1  kfree_to(zone, 0) end
  end
end
function cpu0()
  used = choose(3)
  zone_create(zone, used)  mark "it is there"
  for _ = 1, 8 do
    crit_enter()  receive_slowly(nil, choose(20), nil)
    if zone.z_used > 0 then zone_reap(zone) end
    crit_exit()
  end
end
function cpu1() storm() end
function cpu2() storm() end

case "messages are not counted"
mutant "no_hold"  possible (freed)
case "control: they are"
never { freed, stuck, panic }
