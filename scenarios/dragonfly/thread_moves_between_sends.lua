-- SPDX-License-Identifier: BSD-2-Clause
scenario "two messages of one thread arrive in the wrong order"
origin   "392cd266cf, 2011-11-03: a TCP stream within one host was corrupted"

--   cpu1   m1 ──▶ its FIFO to cpu2        a thread, which then moves to
--   cpu0   m2 ──▶ its FIFO to cpu2        cpu0 and goes on there
--   cpu2   in a critical section; then serves the lowest cpu first: m2, m1
-- Order is kept for each sending cpu, not for each thread.

system "dragonfly" { cpus = 3 }

local last = object "int"

local function m(n) lwkt_send_ipiq3(gd(2), count_in_order, last, n) end
local function receiver()
  crit_enter()  mark "cpu2 is busy"  await "both are sent"  crit_exit()
end
function cpu1() await "cpu2 is busy"  m(1)  mark "the thread moves" end
function cpu0() await "the thread moves"  m(2)  mark "both are sent" end

case "from cpu1 to cpu0"
function cpu2() receiver() end
certain (panic)

case "even if cpu2 is not busy"
function cpu2() mark "cpu2 is busy" end
possible (panic)

case "control: it stays where it is"
function cpu0() end
function cpu1() await "cpu2 is busy"  m(1)  m(2)  mark "both are sent" end
function cpu2() receiver() end
never (panic)
