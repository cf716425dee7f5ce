-- SPDX-License-Identifier: BSD-2-Clause
scenario "if (rindex == windex);"
origin   "09a364d7c2, 2011-10-14: the semicolon had been there for years"

--   cpu1   pass 1: executes m1   releases gd_npoll, though m2 has come
--          pass 2: executes m2                       ▲
--   cpu0   m3: finds the door open and knocks: an IPI too many
-- Nothing is lost by it: it costs time only.

system "dragonfly" { cpus = 2 }

function cpu0()
  for _ = 1, 3 do lwkt_send_ipiq3(gd(1), receive, 0, 0)  nop(nil, 0, nil) end
end
local function one_by_one()
  assert(run_to(0, nop) and deliver_ipi(1) and run_to(1, receive))
  step(0)  assert(run_to(0, nop))
  step(1)  assert(run_to(1, receive))
  step(0)  assert(run_to(0, nop))
end
local function all_executed() return received[1] == 3 end
local function interrupts(n) return function() return gd(1).gd_cnt.v_ipi == n end end

case "with the semicolon: two interrupts for three messages"
mutant "stray_semicolon"
function schedule() one_by_one() end
possible (interrupts(2))
certain (all_executed)
never (lost_message)

case "control: without, one does it"
function schedule() one_by_one() end
certain (interrupts(1))
certain (all_executed)

case "in any other order nothing is lost either"
mutant "stray_semicolon"
never { lost_message, stuck }
certain (all_executed)
