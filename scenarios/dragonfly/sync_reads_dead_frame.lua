-- SPDX-License-Identifier: BSD-2-Clause
scenario "a cpu reads a mask on a stack that its owner has left"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_sync_ipiq()"

--   cpu1   clears its bit                       reads the mask: was I the last?
--   cpu2                    the last: wakeup
--   cpu0                              returns; the mask was on its stack

system "dragonfly" { cpus = 3 }

local dead = breach "no touch of a dead object of a stack"

function cpu0() lwkt_synchronize_ipiqs(nil)  mark "cpu0 has returned" end

function schedule()
  run(0)                                  -- asks both, and sleeps
  deliver_ipi(1)
  assert(run_to(1, lwkt_sync_ipiq, "== 0)"))
  deliver_ipi(2)
  run(2)                                  -- clears its bit
  deliver_ipi(0)
  run(0)                                  -- wakes up, if it can
end

case "as written: cpu1 reads after cpu0 has returned"
certain (dead)

case "control: the clear itself says who was the last"
mutant "sync_once"
reach (marked "cpu0 has returned")
never { dead, stuck }
