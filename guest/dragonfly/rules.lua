-- SPDX-License-Identifier: BSD-2-Clause
-- rules.lua -- what heddle has to know about this system: plain data, no
-- functions.  Names are those of the image's symbols and debug information.

local sends = {
  "lwkt_send_ipiq3", "lwkt_send_ipiq3_passive", "lwkt_send_ipiq3_nowait",
}
local operations = {
  "lwkt_send_ipiq3", "lwkt_send_ipiq3_passive", "lwkt_send_ipiq3_nowait",
  "lwkt_wait_ipiq", "lwkt_process_ipiq", "lwkt_process_ipiq_frame",
  "lwkt_synchronize_ipiqs", "lwkt_cpusync_interlock",
  "lwkt_cpusync_deinterlock", "_wakeup",
}
-- { function, line }: a quoted line of source, as scenarios name it.
local full_loops = {
  { "lwkt_send_ipiq3", "cpu_enable_intr();" },
  { "lwkt_send_ipiq3_passive", "cpu_enable_intr();" },
  { "lwkt_wait_ipiq", "cpu_enable_intr();" },
}

return {
  -- Build parameters: what --define takes, and what a scenario gets when it
  -- names none.  `reduced` is the smallest size at which nothing is lost but
  -- room: 4 would break an assertion in a legal state.
  axes = {
    MAXCPUFIFO  = { default = 32, reduced = 8 },
    INVARIANTS  = { default = 1 },
    PANIC_DEBUG = { default = 0 },
    THREADS     = { default = 0 },
  },

  cpus_max = 64,

  -- gd(n) is &CPU_prvspace[n].mdglobaldata, which begins its element.
  globaldata = {
    array = "CPU_prvspace", member = "mdglobaldata",
    type = "struct globaldata",
    cpuid = "gd_cpuid", thread = "gd_curthread", infomsg = "gd_infomsg",
  },
  thread = {
    type = "struct thread",
    stack = "td_kstack", stack_size = "td_kstack_size",
    story = "gd_storythread", idle = "gd_idlethread",
  },

  -- FIFOs: gd(a).gd_ipiq[b] holds what cpu a sent to cpu b; gd_cpusyncq is a
  -- cpu's own.  Indices run free: slot = index & (MAXCPUFIFO - 1).
  fifos = {
    type = "struct lwkt_ipiq",
    written = "ip_windex", read = "ip_rindex", executed = "ip_xindex",
    slots = "ip_info", func = "func", arguments = { "arg1", "arg2" },
    depth = "MAXCPUFIFO",
    unclaimed = "gd_ipimask", -- bit n clear: cpu n's messages are being served
    { field = "gd_ipiq", per = "target" },
    { field = "gd_cpusyncq", per = "self" },
  },

  -- Words that only count.  Two machines that differ in these alone are in
  -- the same state.
  counters = {
    symbols = { "ipiq_stats_percpu", "ticks" },
    fields  = { globaldata = { "gd_cnt" } },
  },

  -- Always checked.  `on` are entries of functions, or quoted lines; `of` is
  -- the cpu's globaldata, its current thread, or the flags of its processor.
  -- The rules with `watch` are kinds of their own: doc/SEARCH.md.
  rules = {
    { name = "no IPI operation with a spin lock held",
      on = operations, of = "globaldata", field = "gd_spinlocks", must = 0 },
    { name = "process only in a critical section",
      on = { "lwkt_process_ipiq", "lwkt_process_ipiq_frame" },
      of = "thread", field = "td_critcount", must_not = 0 },
    { name = "no waiting for a message inside a callback",
      on = { "lwkt_wait_ipiq" },
      of = "globaldata", field = "gd_intr_nesting_level", must = 0 },
    { name = "no switch inside a callback",
      on = { "lwkt_switch" },
      of = "globaldata", field = "gd_intr_nesting_level", must = 0 },
    { name = "no switch with a spin lock held",
      on = { "lwkt_switch" },
      of = "globaldata", field = "gd_spinlocks", must = 0 },
    { name = "no waiting with interrupts off",
      on = full_loops, of = "flags", field = "IF", must = 1 },
    { name = "all critical sections are left at return to idle",
      on = { { "cpu_idle", "cpu_halt();" },
             { "story_thread", "lwkt_deschedule_self(curthread);" } },
      words = { { of = "thread", field = "td_critcount" },
                { of = "globaldata", field = "gd_spinlocks" },
                { of = "globaldata", field = "gd_intr_nesting_level" } },
      must = 0 },
    { name = "no message is written over one that waits", watch = "room" },
    { name = "each message is executed once, in order", watch = "order" },
    { name = "a callback leaves its cpu as it found it", watch = "balance",
      words = { { of = "thread", field = "td_critcount" },
                { of = "globaldata", field = "gd_spinlocks" },
                { of = "globaldata", field = "gd_intr_nesting_level" } } },
    -- An interrupt takes some 200 bytes, and the code that it calls as much.
    { name = "a cpu stays on its stack", watch = "stack", reserve = 512 },
    { name = "no touch of a dead object of a stack", watch = "dead stack" },
    { name = "no touch of freed memory", watch = "freed" },
  },

  -- The life of a message: an index says that it is there; it is read, and
  -- `received` (a note with the fields of its slot, source and target) says
  -- what is about to be executed; that is over.
  messages = {
    written = {
      { "lwkt_send_ipiq3", "++ip->ip_windex;" },
      { "lwkt_send_ipiq3_passive", "++ip->ip_windex;" },
      { "lwkt_send_ipiq3_nowait", "++ip->ip_windex;" },
      { "lwkt_cpusync_remote2", "++ip->ip_windex;" },
    },
    provider = "ktr", received = "ipiq_receive",
    returned = {
      { "lwkt_process_ipiq_core", "ip->ip_xindex = ip->ip_rindex;" },
    },
  },

  -- Notes with an address and a size (shim/lifetime.h).
  memory = { provider = "memory", freed = "freed", taken = "taken" },

  -- Calls a story shows; everything else is a detail.
  notable = {
    sends = sends,
    locks = { "spin_lock" },  unlocks = { "spin_unlock" },
    calls = {
      "lwkt_send_ipiq3", "lwkt_send_ipiq3_passive", "lwkt_send_ipiq3_nowait",
      "lwkt_wait_ipiq", "lwkt_process_ipiq", "lwkt_process_ipiq_frame",
      "lwkt_synchronize_ipiqs", "lwkt_cpusync_interlock",
      "lwkt_cpusync_deinterlock", "wakeup", "_wakeup", "tsleep_interlock",
      "tsleep", "endtsleep", "lwkt_gettoken", "lwkt_preempt", "spin_lock",
      "spin_unlock", "splz", "doreti", "lwkt_switch", "stop_cpus",
      "restart_cpus", "smp_invltlb", "Xipiq", "Xtimer", "Xinvltlb", "Xcpustop",
      "panic",
    },
  },

  -- Functions that wait for cpus: of the structure that argument one points
  -- to, those whose bit is in `wanted` and not yet in `arrived`.
  masks = {
    on = { "lwkt_cpusync_interlock", "lwkt_cpusync_deinterlock" },
    type = "struct lwkt_cpusync", wanted = "cs_mask", arrived = "cs_mack",
  },

  -- Probes that open and close a wait (shim/probe.h).
  wait = { provider = "wait", push = "push", pop = "pop" },
  trace = { provider = "ktr" },
}
