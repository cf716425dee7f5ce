-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: passive messages, ordinary ones, and clocks"
origin   "lwkt_ipiq.c 1f2824e8, above lwkt_send_ipiq3_passive(): 'the next \z
          clock interrupt'; true again since e76d2ad39d, 2015-04-06"

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local done, sent = 0, 0

local function storm(self)
  for _ = 1, 8 do
    local target, what = (self + choose(2)) % 3, choose(3)
    if what == 1 then
      sent = sent + 1
      lwkt_send_ipiq3_passive(gd(target), receive, 0, 0)
    elseif what == 2 then
      sent = sent + 1
      lwkt_send_ipiq3(gd(target), receive, 0, 0)
    else
      lapic_timer_oneshot(200)
    end
  end
  mark  ("cpu" .. self .. " has sent all")
  await ("cpu" .. (self + 1) % 3 .. " has sent all")
  await ("cpu" .. (self + 2) % 3 .. " has sent all")
  lapic_timer_oneshot(200)                -- the next clock interrupt
  done = done + 1
end
function cpu0() storm(0) end
function cpu1() storm(1) end
function cpu2() storm(2) end

case "as written: some wait for ever"
possible (lost_message)

case "control: a clock interrupt that looks into the FIFOs"
mutant "tick_drains"
never { stuck, panic, lost_message, function()
  return done == 3 and received[0] + received[1] + received[2] ~= sent
end }
