-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: many cpus hold each other still"
origin   "3919f5cd3f, 2018-08-17: deadlocks 'on systems with more than 32 cpu \z
          threads', where MAXCPUFIFO was 32"

-- What is true of 32 slots and more cpus is so of eight.

local N = 10
system "dragonfly" { cpus = N, MAXCPUFIFO = 8 }
explore { runs = 200, steps = 400000 }

local function storm(self, takes_part)
  if not takes_part then return end
  for _ = 1, 2 do
    local mask = choose(2) == 1 and (1 << N) - 1 or cpumask(choose(N) - 1)
    lwkt_cpusync_simple(mask, receive, 0)
  end
end

case "as written: gd_cpusyncq has no slot for the ninth"
for n = 0, N - 1 do _ENV["cpu" .. n] = function() storm(n, true) end end
possible (panic)

case "control: no more cpus than slots take part"
for n = 0, N - 1 do _ENV["cpu" .. n] = function() storm(n, n < 8) end end
never { stuck, panic, lost_message }
