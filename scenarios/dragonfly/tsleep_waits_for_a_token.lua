-- SPDX-License-Identifier: BSD-2-Clause
scenario "tsleep() waits for a token when it is half asleep"
origin   "kern_synch.c; fixed 2011-11-11, 94f98873ae"

--   cpu0   queued, off the run queue   token is taken: switches away
--   cpu1                                              wakeup(): not asleep yet
-- It is off the sleep queue now, not on the run queue, and nobody's any more.

system "dragonfly" { cpus = 2, THREADS = 1 }

local ident = object "int"

function cpu0() tsleep_interlock(ident, 0)  mark "queued"
                tsleep(ident, 0x400, nil, 0) end
function cpu1() lwkt_gettoken(proc_token)  await "queued"
                wakeup(ident)  lwkt_reltoken(proc_token) end

case "the token is taken after lwkt_deschedule_self()"
mutant "tsleep_token_late"   possible (stuck { cpu = 0, inside = tsleep })
case "the fix: before"
mutant "tsleep_token_early"  reach (leave(0, tsleep))  never (stuck)
