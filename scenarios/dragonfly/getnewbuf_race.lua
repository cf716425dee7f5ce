-- SPDX-License-Identifier: BSD-2-Clause
scenario "a lock that is asked not to wait gives the big lock away"
origin   "Matthew Dillon, kernel@, 2005-11-16; d9dba6f60b, 16523a434b"

--   cpu0   has the big lock: the buffer is free    LK_NOWAIT: token is taken,
--   cpu1   has the token, for another lock           the big lock is lost
--   cpu1        takes the big lock, and the buffer
--   cpu0                         goes on, with both: the buffer is still free?

system "dragonfly" { cpus = 2, THREADS = 1 }

local bp, another = object "struct buf", object "struct lock"
local EXCLUSIVE, RELEASE = 2, 6
local warned = enter(getnewbuf_warning)   -- "locked buf %p, race corrected"
local function two_users() return bp[0].b_users == 2 end

local function take(corrects)
  bp[0].b_is_free = 1  mark "there is a buffer"
  lwkt_gettoken(mp_token)  getnewbuf(bp, corrects)  lwkt_reltoken(mp_token)
end
local function lock_and_take(corrects)
  await "there is a buffer"
  for _ = 1, 3 do lockmgr(another, EXCLUSIVE)  lockmgr(another, RELEASE) end
  lwkt_gettoken(mp_token)  getnewbuf(bp, corrects)  lwkt_reltoken(mp_token)
end
function cpu0() take(1) end
function cpu1() lock_and_take(1) end

case "the lock manager under a token: two users of one buffer"
function cpu0() take(0) end
function cpu1() lock_and_take(0) end
mutant "lock_token"  possible (two_users)

case "vfs_bio.c rev 1.52 looks again, and warns"
mutant "lock_token"  possible (warned)  never (two_users)

case "patch #1, under a spin lock: 'no longer occuring'"
never { warned, two_users, stuck, panic }
