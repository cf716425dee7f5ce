-- SPDX-License-Identifier: BSD-2-Clause
scenario "a cpu that is slow is taken for dead"
origin   "3ec72a5566, 2013-06-27: lwkt_wait_ipiq() counted rounds, and \z
          panicked; since then it reads the clock"

--   cpu0   waits: 1, 2, 3, ... 2560 rounds: panic("LWKT_WAIT_IPIQ")
--   cpu1   is a virtual one, and its host runs something else

system "dragonfly" { cpus = 2 }
explore { runs = 10 }

local function send_and_wait()
  crit_enter()
  local seq = lwkt_send_ipiq3(gd(1), receive, 0, 0)
  lwkt_wait_ipiq(gd(1), seq)
  crit_exit()
end
function cpu0() send_and_wait() end
local function host_is_busy() hold(1)  free_run(400000) end

case "counting: a third of a millisecond, and it panics"
mutant "count_not_clock"
function schedule() host_is_busy() end
certain (panic)

case "control: with the clock it waits"
function schedule() host_is_busy() end
never (panic)

case "with the clock, and a cpu that is away for more than ten seconds"
function cpu0() tsc_frequency = 1000  send_and_wait() end
function schedule() host_is_busy() end
certain (panic)
