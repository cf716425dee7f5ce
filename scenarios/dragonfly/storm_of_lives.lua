-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: a process is signalled, and ends"
origin   "c5d0ecf83c, 2008-06-09: signotify_remote() holds the lwp meanwhile"

-- Who signals has found the process alive; it does not end while he does so.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local lp, freed = object "struct lwp", breach "no touch of freed memory"
local is_alive, signalling = false, 0

local function storm()
  await "it is there"
  for _ = 1, 6 do
    if choose(2) == 1 then lwkt_send_ipiq3(gd(0), receive, 0, 0)
    elseif is_alive then
      signalling = signalling + 1  signotify(lp, 0)  signalling = signalling - 1
    end
  end
end
function cpu0()
  is_alive = true  lwp_create(lp)  mark "it is there"
  for _ = 1, 8 do
    crit_enter()  receive_slowly(nil, choose(20), nil)
    if is_alive and signalling == 0 and choose(4) == 1 then
      is_alive = false  lwp_exit(lp)
    end
    crit_exit()
  end
end
function cpu1() storm() end
function cpu2() storm() end

case "the message does not hold it"
mutant "no_hold"  possible (freed)
case "control: it does"
never { freed, stuck, panic, lost_message }
