/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/hypercall.h"

#include "parts/cpu_interrupt.h"

void
hypercall_console(Machine *machine, Cpu *cpu)
{
    uint64_t size = MIN(cpu_register(cpu, GPR_RSI), CONSOLE_BYTES_MAX);
    g_autofree char *text = g_malloc(size + 1);

    if (machine_read(machine, cpu->number, cpu_register(cpu, GPR_RDI), text,
                     size))
        machine_console_write(machine, text, size);
    machine_finish_hypercall(machine, cpu->number, 0);
}

void
hypercall_panic(Machine *machine, Cpu *cpu, Verdict *verdict)
{
    g_autofree char *text = NULL;

    machine_drain_all(machine); /* the text may be buffered; it is the end */
    text = gmem_read_string(machine_memory(machine),
                            cpu_register(cpu, GPR_RDI), VERDICT_TEXT_MAX);
    verdict->kind = VERDICT_PANIC;
    verdict->cpu = (int)cpu->number;
    g_strlcpy(verdict->text, text != NULL ? text : "(unreadable text)",
              sizeof verdict->text);
}

/* What could not be delivered says more than that the core shut down. */
void
hypercall_shutdown(const Cpu *cpu, Verdict *verdict)
{
    const char *name = cpu_vector_name(cpu->shutdown_vector);

    verdict->kind = VERDICT_FAULT;
    verdict->cpu = (int)cpu->number;
    g_snprintf(verdict->text, sizeof verdict->text,
               "triple fault: %s %u at rip 0x%" PRIx64
               " has no handler that could be entered",
               name != NULL ? name : "interrupt", cpu->shutdown_vector,
               cpu->shutdown_rip);
}
