-- SPDX-License-Identifier: BSD-2-Clause
scenario "a zone is given up while a passive message about it is on its way"
origin   "df9daea899, 2010-09-29: kfree_remote() counts what is in flight"

--   cpu0   links its chunk to cpu1's zone ── passive: no IPI ──▶ █
--   cpu1   sees the chunk itself: nothing used, gives up the zone
--          later executes kfree_remote(zone)

system "dragonfly" { cpus = 2 }

local zone  = object "struct zone"
local freed = breach "no touch of freed memory"

function cpu0() await "cpu1 has a zone"  kfree_to(zone, 1)  mark "freed" end
function cpu1()
  zone_create(zone, 1)  mark "cpu1 has a zone"
  crit_enter()
  await "freed"
  zone_reap(zone)                 -- when it looks for memory
  lwkt_process_ipiq()             -- when it happens to come by
  crit_exit()
end

case "not counted"
mutant "no_hold"
certain (freed)

case "control: counted"
never { freed, lost_message }
