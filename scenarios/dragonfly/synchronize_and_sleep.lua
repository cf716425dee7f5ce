-- SPDX-License-Identifier: BSD-2-Clause
scenario "a cpu sleeps until all others have looked into their FIFOs"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_synchronize_ipiqs()"

--   cpu0   queues itself   any bit left?   sleeps, unless woken since
--   others           clears its bit, LOCKed   the last: wakeup

system "dragonfly" { cpus = 3 }
mutant "sync_once"                        -- sync_reads_dead_frame.lua says why

local slept = leave(0, lwkt_synchronize_ipiqs)
function cpu0() lwkt_synchronize_ipiqs(nil) end

case "as written, with its one remedy"
memory "tso"
reach (slept)
never { stuck, panic, lost_message }

case "control: it queues itself after the test"
mutant { "sync_once", "interlock_late" }  possible (stuck)
case "control: it does not ask whether it was woken since"
mutant { "sync_once", "no_retest" }       possible (stuck)
case "control: the clear is not LOCKed"
mutant "plain_sync_clear"  memory "tso"   possible (stuck)
