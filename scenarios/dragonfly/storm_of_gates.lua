-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: threads are scheduled by messages, among other messages"
origin   "lwkt_thread.c, July 2013: lwkt_schedule_remote()"

-- No message here sends, so none should be executed in the middle of another.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }
explore { runs = 500 }

local inside = region(lwkt_schedule_remote)
local early  = inside(0) & enter(0, receive) | inside(1) & enter(1, receive)
               | inside(2) & enter(2, receive)
local done, sent = 0, 0

local function storm(self, preempts)
  gd(self).gd_storythread.td_preemptable = preempts
  for _ = 1, 24 do
    local target = gd((self + choose(2)) % 3)
    if choose(3) == 1 then crit_enter()  crit_exit() end
    if choose(2) == 1 then lwkt_schedule(target.gd_storythread)
    else sent = sent + 1  lwkt_send_ipiq3(target, receive, 0, 0) end
  end
  done = done + 1
end
local function all(preempts)
  for n = 0, 2 do _ENV["cpu" .. n] = function() storm(n, preempts) end end
end

case "threads that preempt"
all(1)
possible (early)

case "control: threads that do not"
all(0)
never { early, stuck, panic, lost_message, function()
  return done == 3 and received[0] + received[1] + received[2] ~= sent
end }
