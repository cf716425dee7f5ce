-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: threads block, take tokens, come and go"
origin   "lwkt_thread.c; 0c4539500d, 2005; 3b4192fbd3, 7f5d7ed72f, 2009"

-- In each round a cpu lets another's thread go on, and blocks until its own
-- may. It may be on a sleep queue then, as it thought that it had to sleep.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8, THREADS = 1 }
explore { runs = 500 }

local ident, go, threads = object "int", {}, {}
for n = 0, 8 do go[n] = object "int" end

local function noise(self)
  local what, other = choose(5), (self + choose(2)) % 3
  if     what == 1 then tsleep_interlock(ident, 0)        -- and does not sleep
  elseif what == 2 then wakeup(ident)
  elseif what == 3 then
    for _ = 1, choose(8) do lwkt_schedule(gd(other).gd_storythread) end
  elseif what == 4 then lwkt_gettoken(mp_token)  lwkt_reltoken(mp_token)
  elseif not threads[self] then
    threads[self] = thread_create(interlock_and_exit, ident)
    lwkt_yield()  thread_reap(threads[self])
  end
end
local function storm(self)
  for round = 0, 6, 3 do
    for _ = 1, choose(8) do noise(self) end
    local other = (self + 1 + round % 2) % 3
    set(go[round + other], 1)  lwkt_schedule(gd(other).gd_storythread)
    noise(self)
    crit_enter()
    while go[round + self][0] == 0 do
      lwkt_deschedule_self(gd(self).gd_storythread)  lwkt_switch()
    end
    crit_exit()
  end
end
for n = 0, 2 do _ENV["cpu" .. n] = function() storm(n) end end

case "lwkt_schedule() refuses whoever is on a sleep queue"
mutant "schedule_refuses_tsleepq"  possible (stuck)
case "who ends stays on the queue"
mutant "exit_on_queue"  possible (breach "no touch of freed memory")
case "control"
never { stuck, panic, lost_message, breach "no touch of freed memory" }
