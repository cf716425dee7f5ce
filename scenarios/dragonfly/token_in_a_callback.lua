-- SPDX-License-Identifier: BSD-2-Clause
scenario "a callback puts a token on the list of who was interrupted"
origin   "lwkt_thread.c; fixed 2005-06-20, 0c4539500d"

--   cpu0   its list of tokens: [n] = mp_token                      n = n + 1
--   Xipiq, lwkt_schedule()          [n] = another, n + 1, n again
-- A thread's list of tokens is its own and has no lock. A callback runs on top
-- of a thread, and the thread it finds there has nothing to do with it.

system "dragonfly" { cpus = 2, THREADS = 1 }

local again = 20

function cpu0()
  for _ = 1, again do lwkt_gettoken(mp_token)  lwkt_reltoken(mp_token) end
end
function cpu1()
  for _ = 1, again do lwkt_schedule(gd(0).gd_storythread) end
end

case "lwkt_schedule() takes a token: the list is wrong"
mutant "schedule_takes_token"  possible (panic)

case "the fix: it takes none"
reach (region(lwkt_trytoken)(0) & enter(0, lwkt_schedule_remote))
never { panic, stuck }
