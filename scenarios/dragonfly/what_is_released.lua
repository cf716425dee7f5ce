-- SPDX-License-Identifier: BSD-2-Clause
scenario "who gets a token, a lock or an answer sees what was done before"
origin   "cpu_sfence() in token_drop(), word_unlock() and, lwkt_ipiq.c \z
          1f2824e8, before 'ip->ip_xindex = ip->ip_rindex;'"

--   cpu0   n = n + 1 [in its buffer]   cpu_sfence()   releases
--   cpu1                                 takes it, reads n
-- On x86-64 cpu_sfence() is no instruction; see slot_before_index.lua.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8, THREADS = 1 }

local word, n = object "int", object "int"

local function add() set(n, get(n) + 1) end
local function token() lwkt_gettoken(mp_token) add() lwkt_reltoken(mp_token) end
local function lock() word_lock(word)  add()  word_unlock(word) end
local function answer() crit_enter()
  lwkt_wait_ipiq(gd(1), lwkt_send_ipiq3(gd(1), count_up, n, 0))
  add()  crit_exit()
end

local function often(f) return function() for _ = 1, 5 do f() end end end
local function lost() return n[0] < 10 end

for _, one in ipairs { { "a token", token, token, { lost, stuck } },
                       { "a lock of one word", lock, lock, lost },
                       { "an answer", answer, function() get(n) end, lost } } do
  case (one[1] .. ", as written in the source")
  memory "pso,depth=4,barriers=source"
  cpu0, cpu1 = often(one[2]), often(one[3])
  certain (function() return n[0] == 10 end)

  case (one[1] .. ", as compiled for x86: it is too early")
  memory "pso,depth=4"  explore { runs = 10000 }
  cpu0, cpu1 = often(one[2]), often(one[3])
  possible (one[4])
end
