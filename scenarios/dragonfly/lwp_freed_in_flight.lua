-- SPDX-License-Identifier: BSD-2-Clause
scenario "a process ends while a signal for it is on its way"
origin   "c5d0ecf83c, 2008-06-09: signotify_remote() holds the lwp meanwhile"

--   cpu0   signotify(lp) ── lp ──▶ █ cpu1, in a critical section
--   cpu1   lwp_exit(lp): freed        then executes signotify_remote(lp)

system "dragonfly" { cpus = 2 }

local lp    = object "struct lwp"
local freed = breach "no touch of freed memory"

function cpu0()
  await "cpu1 is busy"
  signotify(lp, 1)
  mark "sent"
end
function cpu1()
  lwp_create(lp)
  crit_enter()  mark "cpu1 is busy"  await "sent"
  lwp_exit(lp)
  crit_exit()
end

case "nobody holds it"
mutant "no_hold"
certain (freed)

case "control: the message does"
never { freed, lost_message }
