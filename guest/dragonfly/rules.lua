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

return {
  -- Build parameters: what --define takes, and what a scenario gets when it
  -- names none.  `reduced` is the smallest size at which nothing is lost but
  -- room: 4 would break an assertion in a legal state.
  axes = {
    MAXCPUFIFO  = { default = 32, reduced = 8 },
    INVARIANTS  = { default = 1 },
    PANIC_DEBUG = { default = 0 },
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
    { field = "gd_ipiq", per = "target" },
    { field = "gd_cpusyncq", per = "self" },
  },

  -- Words that only count.  Two machines that differ in these alone are in
  -- the same state.
  counters = {
    symbols = { "ipiq_stats_percpu", "ticks" },
    fields  = { globaldata = { "gd_cnt" } },
  },

  -- Checked at the entry of each function of `on`: a field of the cpu's
  -- globaldata (of = "globaldata") or of its current thread (of = "thread").
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
  },

  -- Calls a story shows; everything else is a detail.
  notable = {
    sends = sends,
    locks = { "spin_lock" },  unlocks = { "spin_unlock" },
    calls = {
      "lwkt_send_ipiq3", "lwkt_send_ipiq3_passive", "lwkt_send_ipiq3_nowait",
      "lwkt_wait_ipiq", "lwkt_process_ipiq", "lwkt_process_ipiq_frame",
      "lwkt_synchronize_ipiqs", "lwkt_cpusync_interlock",
      "lwkt_cpusync_deinterlock", "wakeup", "_wakeup", "tsleep_interlock",
      "tsleep", "spin_lock", "spin_unlock", "splz", "doreti",
      "lwkt_switch", "stop_cpus", "restart_cpus", "smp_invltlb", "Xipiq",
      "Xtimer", "Xinvltlb", "Xcpustop", "panic",
    },
  },

  -- Probes that open and close a wait (shim/probe.h).
  wait = { provider = "wait", push = "push", pop = "pop" },
  trace = { provider = "ktr" },
}
