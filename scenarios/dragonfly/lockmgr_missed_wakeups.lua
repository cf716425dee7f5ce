-- SPDX-License-Identifier: BSD-2-Clause
scenario "a reader sleeps because of a request that is gone"
origin   "kern_lock.c, 2018: 8319957b9f, e840a8c25b, 4f29f4c6fe"

-- cpu1 reads; cpu2 wants to be alone, EXREQ: no new readers.
--   cpu0   came too late, takes its count back: SHARED|0|EXREQ
--   cpu1        wants to read again: EXREQ, sleeps
--   cpu2             looks again: no readers, takes the lock, EXREQ is gone
--   cpu0                  no EXREQ: nobody to wake

system "dragonfly" { cpus = 3 }

local lk = object "struct lkcount"
local asleep = stuck { inside = lkcount_shared }
local function read() lkcount_shared(lk)  lkcount_release(lk) end
function cpu0() read() end
function cpu1() read()  read() end
function cpu2() lkcount_exclusive(lk)  lkcount_release(lk) end
local function briefly()
  if lkcount_exclusive_briefly(lk) ~= 0 then lkcount_release(lk) end
end

case "undo_shreq() in two steps"      mutant "undo_in_two"
function schedule()
  assert(run_to(1, lkcount_release))
  assert(run_to(0, lkcount_shared, "__sync_fetch_and_add"))
  assert(run_to(2, lkcount_exclusive, "u_int count = lkp->lk_count;"))
  assert(run_to(0, undo_shreq) and run_to(1, lkcount_shared))
  assert(run_to(0, undo_shreq, "count = lkp->lk_count;"))
  run(1)  run(2) end
certain (asleep)
case "the fix: in one"
reach (enter(undo_shreq))  never { stuck, panic }

case "who gives up waiting tells nobody"  mutant "cancel_is_silent"
function cpu2() briefly() end
possible (asleep)
case "the fix: he does"
function cpu2() briefly() end
never { stuck, panic }
