-- SPDX-License-Identifier: BSD-2-Clause
scenario "a wakeup is lost although the sleeper looks twice"
origin   "kern_synch.c; fixed in 2017, e676ebdaf2 and 9b302485d4"

--   cpu0   sets its bit of slpque_cpumasks   loads cond: 0     sleeps
--   cpu1   cond = 1  [in its store buffer]   loads the bits: 0, sends nothing
-- The sleeper's store is LOCKed.  Is the waker's store visible when it looks?

system "dragonfly" { cpus = 2 }

local PINTERLOCKED = 0x400
local cond   = object "int"
local asleep = stuck { cpu = 0, inside = tsleep }

function cpu0()
  tsleep_interlock(cond, 0)
  if cond[0] == 0 then tsleep(cond, PINTERLOCKED, nil, 0) end
end

function cpu1() raise_flag(cond) end      -- *cond = 1;  wakeup(cond);

case "as written in 2013: the sleeper is never woken"
memory "tso"                            possible (asleep)

case "the first fix, an lfence: it orders loads, not a store and a load"
memory "tso"  mutant "wakeup_lfence"    possible (asleep)

case "the second fix, an mfence"
memory "tso"  mutant "wakeup_mfence"
reach (leave(0, tsleep))
never (stuck)

case "without store buffers nothing was wrong"
memory "sc"
reach (leave(0, tsleep))
never (stuck)
