-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: one interrupt on its way to a cpu is lost"
origin   "bba35d6657, 2016-09-05: virtual machines lose IPIs"

-- Which one is chance, and is an injected fault: cpus send, and flush TLBs.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
explore { runs = 300, steps = 200000 }                -- it takes some 10000

local for_ever = stuck | budget           -- or no end in sight

local function storm(self)
  lapic_timer_periodic(3000)
  tsc_frequency = 100000                  -- 1/16 second is short, then
  for _ = 1, 8 do
    if choose(3) == 1 then smp_invltlb()
    else flood((self + choose(2)) % 3, choose(3)) end
  end
end
for n = 0, 2 do _ENV["cpu" .. n] = function() storm(n) end end
local function lose_one()
  for _ = 1, 200 do
    free_run(choose(50))
    if choose(10) == 1 and drop_ipi(choose(3) - 1) then return end
  end
end

case "as written: somebody waits for ever, or a message does"
function schedule() lose_one() end
possible { for_ever, lost_message }

case "control: clocks look into the FIFOs, and who flushes asks again"
mutant { "tick_drains", "invltlb_again" }
function schedule() lose_one() end
never { for_ever, panic, lost_message }
