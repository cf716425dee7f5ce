-- SPDX-License-Identifier: BSD-2-Clause
scenario "a cpu is stopped when it has the right to knock"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_send_ipiq3(); e47e3dba26, 2016-07-22"

--   cpu0   ++windex   gd_ipimask |= 1   gd_npoll = 1  │  writes the ICR
-- Xcpustop comes at the bar.  cpu2 finds gd_npoll taken and does not knock
-- either: until cpu0 goes on, cpu1 knows of no mail, neither cpu0's nor its.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

function cpu0() lwkt_send_ipiq3(gd(1), receive, 0, 0) end
function cpu2()
  stop_cpus(cpumask(0))
  lwkt_send_ipiq3(gd(1), receive, 0, 0)
  for _ = 1, 100 do nop(nil, 0, nil) end
  if received[1] == 0 then mark "cpu1 knows of nothing" end
  restart_cpus(cpumask(0))
end

case "stopped at the bar: late, but not lost"
function schedule() assert(run_to(0, cpu_send_ipiq)) end
possible (marked "cpu1 knows of nothing")
never (lost_message)
certain (function() return received[1] == 2 end)

case "control: stopped before it has taken gd_npoll, cpu2 knocks"
function schedule()
  assert(run_to(0, lwkt_send_ipiq3, "++ip->ip_windex;"))
  hold(0)
  free_run(200)
end
never (marked "cpu1 knows of nothing")

case "control: the knock never comes, and the mail is lost"
function schedule()
  assert(run_to(0, cpu_send_ipiq))
  run(0)
  assert(drop_ipi(1))
end
possible (lost_message)
