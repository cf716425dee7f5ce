-- SPDX-License-Identifier: BSD-2-Clause
scenario "a callback waits with interrupts off for a cpu that flushes TLBs"
origin   "7d4d6fdb87, 2d910aaf6e, b4b1a37a91, 2010-10-27 to 31: cpu_enable_intr() \z
          before C is called from Xipiq, splz and doreti"

--   cpu0   Xipiq, interrupts off ▶ take_and_drop: spins, cpu1 has it
--   cpu1   holds it, and in smp_invltlb() waits until cpu0 takes Xinvltlb

system "dragonfly" { cpus = 3 }

local a = object "struct spinlock"

function cpu1()
  spin_lock(a)  mark "cpu1 has it"  smp_invltlb()  spin_unlock(a)
end
function cpu2() await "cpu1 has it"  lwkt_send_ipiq3(gd(0), take_and_drop, a, 0) end

case "handlers run with interrupts off"
mutant "handlers_cli"
possible (stuck { cpu = 0, inside = take_and_drop }
          & stuck { cpu = 1, inside = smp_invltlb })

case "control: with interrupts on"
never { stuck, panic }
