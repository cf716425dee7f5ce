-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: cpus hold each other still"
origin   "lwkt_ipiq.c 1f2824e8: 'Place specified cpus in a quiescent state.'"

-- Two masters may hold one another and go on: what one does to shared data
-- between interlock and deinterlock, the other does as well.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
explore { steps = 100000 }                -- it takes some 10000

local LK_EXCLUSIVE, LK_RELEASE = 2, 6
local T, lk, n = "struct lwkt_cpusync", object "struct lock", object "int"
local cs = { [0] = object(T), object(T), object(T) }
local done, total, synced = 0, 0, 0

local function master(self)
  local held = choose(3)                  -- one of the others, or both
  local mask = held == 3 and 7 or cpumask((self + held) % 3)
  total, synced = total + 1, synced + (held == 3 and 3 or 1)
  lwkt_cpusync_init(cs[self], mask, receive, 0)
  lwkt_cpusync_interlock(cs[self])
  set(n, get(n) + 1)                      -- nobody else runs, or so it seems
  lwkt_cpusync_deinterlock(cs[self])
end
local function storm(self, locked)
  for _ = 1, 4 do
    if locked then lockmgr(lk, LK_EXCLUSIVE) end
    master(self)
    if locked then lockmgr(lk, LK_RELEASE) end
  end
  done = done + 1
end

case "masters do not exclude each other: an update is lost"
function cpu0() storm(0) end
function cpu1() storm(1) end
function cpu2() storm(2) end
local function lost() return done == 3 and n[0] < total end
possible (lost)

case "control: masters that bring their own lock"
function cpu0() storm(0, true) end
function cpu1() storm(1, true) end
function cpu2() storm(2, true) end
never { lost, stuck, panic, lost_message, function()
  return done == 3 and received[0] + received[1] + received[2] ~= synced
end }
