-- SPDX-License-Identifier: BSD-2-Clause
scenario "a stopped cpu executes no messages, and a dump hangs; or it does, twice"
origin   "bd8015cab2, 2005-07-20: 'even though we could be racing IPIQ \z
          processing if we were interrupted at just the wrong time'"

--   cpu0   panics, stops cpu1, and what the dump calls sends to cpu1: █ █ █ █ █
-- Since then Xcpustop executes messages; and so it does inside of
--   cpu1   reads slot 0 │ ++rindex       Xcpustop at the bar reads it too

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local function dump()
  stop_cpus(cpumask(1))
  for _ = 1, 8 do lwkt_send_ipiq3(gd(1), nop, 0, 0) end
  restart_cpus(cpumask(1))
end

case "deaf, as before: the sixth message waits for ever"
mutant { "deaf_stop", "handlers_cli" }
function cpu0() dump() end
certain (stuck { cpu = 0, inside = lwkt_send_ipiq3 })

case "control: it listens"
function cpu0() dump() end
never { stuck, lost_message }

local function stopped_at_the_bar()
  assert(run_to(2, nop) and deliver_ipi(1))       -- one message, claimed
  assert(run_to(1, lwkt_process_ipiq_core, "++ip->ip_rindex;"))
  step(2)  assert(run_to(2, nop))                 -- another
  while not deliver_ipi(1) do assert(step(0)) end
end

case "and at just the wrong time a slot is read twice: KKASSERT on rindex"
function cpu0() stop_cpus(cpumask(1))  restart_cpus(cpumask(1)) end
function cpu2()
  for _ = 1, 2 do lwkt_send_ipiq3(gd(1), receive, 0, 0)  nop(nil, 0, nil) end
end
function schedule() stopped_at_the_bar() end
possible (panic)
