-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: buffers are taken and given back under the big lock"
origin   "Matthew Dillon, kernel@, 2005-11-16; d9dba6f60b, 16523a434b"

-- Who finds a buffer free locks it without waiting, and it is his. Regular
-- locks are taken at times as well; under all of them is one interlock.

system "dragonfly" { cpus = 3, THREADS = 1 }
explore { runs = 1000 }

local bp, another = object "struct buf", object "struct lock"
local EXCLUSIVE, RELEASE = 2, 6
local two_users = false

local function use()
  lwkt_gettoken(mp_token)
  if getnewbuf(bp, 0) ~= 0 then
    two_users = two_users or bp[0].b_users ~= 1
    lwkt_yield()                          -- others may run, without the lock
    bp[0].b_users = bp[0].b_users - 1
    bp[0].b_is_free = 1
  end
  lwkt_reltoken(mp_token)
end
local function storm()
  bp[0].b_is_free = 1
  for _ = 1, 6 do
    if choose(2) == 1 then use()
    else lockmgr(another, EXCLUSIVE)  lockmgr(another, RELEASE) end
  end
end
function cpu0() storm() end
function cpu1() storm() end
function cpu2() storm() end

local function shared() return two_users end

case "the lock manager under a token: a buffer has two users"
mutant "lock_token"
possible (shared)

case "control: under a spin lock"
never { shared, stuck, panic, lost_message }
