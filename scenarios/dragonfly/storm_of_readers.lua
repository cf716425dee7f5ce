-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: spin locks, held alone and shared"
origin   "kern_spinlock.c, spinlock2.h; 79a7c522d4, 2013; e22f2acdde to \z
          aab1a0485c, 2017 to 2020 (reconstructed)"

-- Who writes changes two words under the lock, who reads looks at both.

system "dragonfly" { cpus = 3 }
explore { runs = 1500 }

local a, x, y = object "struct spinlock", object "int", object "int"
local torn, written, done = false, 0, 0

local function storm()
  for _ = 1, 6 do
    if choose(3) == 1 then
      written = written + 1
      spin_lock(a)         increment(x)  increment(y)  spin_unlock(a)
    else
      spin_lock_shared(a)
      if get(x) ~= get(y) then torn = true end
      spin_unlock_shared(a)
    end
  end
  done = done + 1
end
function cpu0() storm() end
function cpu1() storm() end
function cpu2() storm() end

local function broken() return torn or done == 3 and x[0] ~= written end

case "July 2013: counted, looked at, and then marked"
mutant "spin_shared_201307"  possible (broken)
case "control: October 2013"
mutant "spin_shared_201310"  never { broken, stuck, panic }
case "December 2016: the mark is taken away, and then the wait is counted"
mutant "spin_shared_201612"  possible (broken)
case "February 2017: only the first who waits takes the mark away"
mutant "spin_shared_201702"  explore { runs = 6000 }  possible (broken)
case "control: November 2020"
mutant "spin_shared_202011"  never { broken, stuck, panic }
