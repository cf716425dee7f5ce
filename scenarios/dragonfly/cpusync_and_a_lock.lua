-- SPDX-License-Identifier: BSD-2-Clause
scenario "a master spins on a lock whose holder is a master too"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_cpusync_interlock()"

--   cpu0   interlock ......... spins on the lock, executes no messages
--   cpu1   has the lock, interlock, deinterlock: waits for cpu0

system "dragonfly" { cpus = 2 }

local for_ever = stuck | budget           -- or no end in sight

local word, T = object "int", "struct lwkt_cpusync"
local cs = { [0] = object(T), object(T) }

local function lock_in_cpusync(self, lock)
  lwkt_cpusync_init(cs[self], cpumask(1 - self), nop, 0)
  lwkt_cpusync_interlock(cs[self])
  if lock then lock(word)  word_unlock(word) end
  lwkt_cpusync_deinterlock(cs[self])
end
local function cpusync_in_lock(self)
  word_lock(word)  lock_in_cpusync(self, nil)  word_unlock(word)
end
function cpu1() cpusync_in_lock(1) end

case "cpu0 spins, and does not acknowledge"
explore { steps = 20000 }                 -- it takes some 3000
function cpu0() lock_in_cpusync(0, word_lock) end
possible (for_ever)

case "it does not help to execute messages while it spins"
explore { steps = 20000 }
function cpu0() lock_in_cpusync(0, word_lock_polling) end
possible (for_ever)

case "control: the lock comes before the interlock, on both"
function cpu0() cpusync_in_lock(0) end
never (for_ever)
