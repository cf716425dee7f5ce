-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: regular locks, held alone, shared, or asked for briefly"
origin   "kern_lock.c, 2018: 8319957b9f, e840a8c25b, 4f29f4c6fe"

-- Readers come and go. One cpu wants to be alone at times, or gives up.

system "dragonfly" { cpus = 4 }
explore { runs = 1000 }

local lk, x, y = object "struct lkcount", object "int", object "int"
local torn, written, done = false, 0, false

local function read()
  for _ = 1, choose(8) do
    lkcount_shared(lk)
    if get(x) ~= get(y) then torn = true end
    lkcount_release(lk)
  end
end
function cpu0()
  for _ = 1, choose(5) do
    local has_it = 1
    if choose(2) == 1 then lkcount_exclusive(lk)
    else has_it = lkcount_exclusive_briefly(lk) end
    if has_it ~= 0 then
      written = written + 1
      increment(x)  increment(y)  lkcount_release(lk)
    end
  end
  done = true
end
function cpu1() read() end
function cpu2() read() end
function cpu3() read() end

local function broken() return torn or done and x[0] ~= written end


case "who gives up tells nobody"
mutant "cancel_is_silent"
possible (stuck)

case "control"
never { broken, stuck, panic }
