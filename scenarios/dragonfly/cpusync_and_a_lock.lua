-- SPDX-License-Identifier: BSD-2-Clause
scenario "a master spins on a lock whose holder is a master too"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_cpusync_interlock()"

--   cpu0   interlock ......... spins on the lock, executes no messages
--   cpu1   has the lock, interlock, deinterlock: waits for cpu0

system "dragonfly" { cpus = 2 }
explore { steps = 20000 }                 -- it takes some 3000

local for_ever = stuck | budget           -- or no end in sight

local word, T = object "int", "struct lwkt_cpusync"
local cs = { [0] = object(T), object(T) }

local function interlock(self)
  lwkt_cpusync_init(cs[self], cpumask(1 - self), nop, 0)
  lwkt_cpusync_interlock(cs[self])
end

function cpu0()
  interlock(0)
  word_lock(word)  word_unlock(word)
  lwkt_cpusync_deinterlock(cs[0])
end
function cpu1()
  word_lock(word)
  interlock(1)
  lwkt_cpusync_deinterlock(cs[1])
  word_unlock(word)
end

case "cpu0 spins, and does not acknowledge"
possible (for_ever)

case "it does not help to execute messages while it spins"
function cpu0()
  interlock(0)
  word_lock_polling(word)  word_unlock(word)
  lwkt_cpusync_deinterlock(cs[0])
end
possible (for_ever)

case "control: the lock comes before the interlock, on both"
function cpu0()
  word_lock(word)
  interlock(0)
  lwkt_cpusync_deinterlock(cs[0])
  word_unlock(word)
end
never (for_ever)
