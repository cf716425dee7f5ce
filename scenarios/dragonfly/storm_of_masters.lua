-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: masters of cpusyncs, and a lock"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_cpusync_interlock()"

-- One cpu is master, and inside spins on a lock.  The other has the lock, is
-- master too, and waits for the first one to acknowledge.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

local for_ever = stuck | budget           -- or no end in sight

local word = object "int"
local cs   = { [0] = object "struct lwkt_cpusync", object "struct lwkt_cpusync" }

local function storm(self, obeys)
  for _ = 1, 6 do
    local outside, inside = choose(2) == 1, choose(2) == 1 and not obeys
    lwkt_cpusync_init(cs[self], cpumask(1 - self), nop, 0)
    if outside then word_lock(word) end
    lwkt_cpusync_interlock(cs[self])
    if inside and not outside then word_lock(word)  word_unlock(word) end
    lwkt_cpusync_deinterlock(cs[self])
    if outside then word_unlock(word) end
  end
end

case "who spins does not acknowledge"
explore { steps = 50000 }                 -- it takes some 10000
function cpu0() storm(0) end
function cpu1() storm(1) end
possible (for_ever)

case "control: who spins on nothing between interlock and deinterlock"
function cpu0() storm(0, true) end
function cpu1() storm(1, true) end
never { for_ever, panic, lost_message }
