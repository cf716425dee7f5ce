-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: three cpus send to each other at random"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_process_ipiq(); fixed in 2016, e32d324453"

-- Nobody says who sends what to whom.  Each cpu sends, passes on what comes,
-- and enters and leaves critical sections as it likes; all of it is legal.

local D = 8                               -- with 32 it hangs as well
system "dragonfly" { cpus = 3, MAXCPUFIFO = D }

local done, sent, passes = 0, 0, { [0] = 0, 0, 0 }

local function storm(self)
  local depth = 0
  for _ = 1, 3 * D do
    local target, what = (self + choose(2)) % 3, choose(4)
    if what == 1 and passes[target] < 8 then   -- else it nests too deep
      passes[target], sent = passes[target] + 1, sent + 2
      lwkt_send_ipiq3(gd(target), pass_on, 0, 3 - self - target)
    elseif what <= 2 then
      sent = sent + 1
      lwkt_send_ipiq3_passive(gd(target), receive, 0, 0)
    elseif what == 3 then crit_enter()  depth = depth + 1
    elseif depth > 0 then crit_exit()   depth = depth - 1
    end
  end
  for _ = 1, depth do crit_exit() end
  for n = 1, 2 do lwkt_send_ipiq3(gd((self + n) % 3), nop, 0, 0) end
  done = done + 1
end
function cpu0() storm(0) end
function cpu1() storm(1) end
function cpu2() storm(2) end

case "as written: two cpus claim each other's mail, and wait for each other"
possible (stuck)

case "control: a nested lwkt_process_ipiq() looks at every FIFO"
mutant "rescan"
never { stuck, panic, lost_message, function()
  return done == 3 and received[0] + received[1] + received[2] ~= sent
end }
