-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: passive messages that are passed on"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_process_ipiq(); fixed in 2016, e32d324453"

-- The cycle of claimed FIFOs may have more than two cpus in it: 1 waits for
-- 2, 2 for 3 and 3 for 1, each with the mail it is waited for claimed.

system "dragonfly" { cpus = 4, MAXCPUFIFO = 8 }

local relays = { [0] = 0, 0, 0, 0 }

local function storm(self)
  for _ = 1, 12 do
    local target, left = (self + choose(3)) % 4, 0
    if relays[target] < 8 then            -- else it nests too deep
      left = choose(2) - 1
      relays[target] = relays[target] + left
    end
    lwkt_send_ipiq3_passive(gd(target), relay_passive, left, choose(3))
  end
end
function cpu0() storm(0) end
function cpu1() storm(1) end
function cpu2() storm(2) end
function cpu3() storm(3) end

local function used(a, b)
  local fifo = gd(a).gd_ipiq[b]
  return fifo.ip_windex - fifo.ip_rindex
end
local function waits(a, b) return used(a, b) > 2 and used(b, a) <= 2 end
local function three()
  for a = 0, 3 do for b = 0, 3 do for c = 0, 3 do
    if waits(a, b) and waits(b, c) and waits(c, a) then return true end
  end end end
end

case "as written: a ring of three hangs"
possible (stuck & three)

case "control: a nested lwkt_process_ipiq() looks at every FIFO"
mutant "rescan"
never { stuck, panic }
