-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: callbacks that wait for other cpus"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_wait_ipiq(): 'may be called from an \z
          interrupt'"

-- A callback that waits for a message holds up what its cpu has claimed and
-- not read yet.  Two of them are enough, and no FIFO needs to be full.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local rule = breach "no waiting for a message inside a callback"

local function storm(self, callback)
  for _ = 1, 6 do
    crit_enter()
    for _ = 1, choose(3) do
      local target = (self + choose(2)) % 3
      lwkt_send_ipiq3(gd(target), nop, 0, 0)
      if choose(3) == 1 then wait_for(0, target, nil)
      elseif choose(3) == 1 then
        lwkt_send_ipiq3(gd(target), callback, 0, 3 - self - target)
      end
    end
    crit_exit()
  end
end

case "as the comment allows: two callbacks wait for each other"
function cpu0()
  tsc_frequency = 50000                   -- ten seconds are short, then
  storm(0, wait_for)
end
function cpu1() storm(1, wait_for) end
function cpu2() storm(2, wait_for) end
possible { rule, panic :after (rule) }

case "control: only stories wait"
function cpu0() storm(0, nop) end
function cpu1() storm(1, nop) end
function cpu2() storm(2, nop) end
never { rule, stuck, panic }
