-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: threads sleep, and wake each other"
origin   "kern_synch.c, 2005 to 2017: what was legal in all these years"

-- In each round a cpu raises another's flag, and sleeps until its own is up.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8, THREADS = 1 }
explore { runs = 400 }

local flags, threads, PINTERLOCKED = {}, {}, 0x400
for n = 0, 124 do flags[n] = object "int" end   -- n and n + 61 share a bucket

local function some() return flags[choose(3) - 1 + 61 * (choose(3) - 1)] end
local function noise(self)
  local what = choose(4)
  if     what == 1 then for _ = 1, choose(8) do wakeup(some()) end
  elseif what == 2 then flood_passive((self + choose(2)) % 3, choose(6))
  elseif what == 3 then tsleep_interlock(some(), 0)       -- and does not sleep
  elseif not threads[self] then
    threads[self] = thread_create(neighbour_sleeps, some())  lwkt_yield()
  end
end
local function raise(flag)
  local how = choose(3)
  if how == 1 then wakeup_start_delayed()
  elseif how == 2 then lwkt_gettoken(proc_token) end
  raise_flag(flag)  wakeup(some())
  if how == 1 then wakeup_end_delayed()
  elseif how == 2 then lwkt_reltoken(proc_token) end
end
local function sleep(flag)
  crit_enter()  tsleep_interlock(flag, 0)
  if flag[0] == 0 then
    for _ = 1, choose(3) do wakeup(some()) end            -- locks are released
    tsleep(flag, PINTERLOCKED, nil, 0)
  end
  crit_exit()
end
local function storm(self)
  for round = 0, 2 do
    for _ = 1, choose(3) do noise(self) end
    raise(flags[(self + 1 + round % 2) % 3 + 61 * round])  noise(self)
    local flag = flags[self + 61 * round]
    while flag[0] == 0 do sleep(flag) end
  end
end
for n = 0, 2 do _ENV["cpu" .. n] = function() storm(n) end end

case "as written in 2013: the store of who wakes is late"
memory "tso"                         possible (stuck)
case "control: with a fence"
memory "tso"  mutant "wakeup_mfence"  never { stuck, panic }
