/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "machine_rig.h"

TestSuite(loader, .timeout = 60);

Test(loader, cpu_0_starts_with_what_a_kernel_wants_to_know)
{
    MachineOptions options = {.cpus = 3, .ram_mib = 8};
    g_autoptr(Image) image = rig_assemble("main: done\n");
    g_autoptr(Machine) machine = machine_new(&options, NULL);
    Cpu *cpu;

    cr_assert(loader_boot(machine, image, 0x10000, NULL));
    cpu = machine_cpu(machine, 0);
    cr_expect_eq(cpu_rip(cpu), image_entry(image));
    cr_expect_eq(cpu_register(cpu, GPR_RDI), 3);
    cr_expect_eq(cpu_register(cpu, GPR_RSI), (8 << 20) - 0x10000);
    cr_expect_eq(cpu_register(cpu, GPR_RDX), WINDOW_DIRECT + LAPIC_BASE_RESET);
    cr_expect_eq(cpu_register(cpu, GPR_RCX), 0x1000);
    cr_expect_not(cpu_interrupts_enabled(cpu));
    cr_expect_eq(cpu->state.activity, CPU_ACTIVE);
    cr_expect_eq(machine_cpu(machine, 1)->state.activity, CPU_WAIT_SIPI);
    machine_check(machine);
}

Test(loader, all_windows_and_the_apic_are_there_and_null_is_not)
{
    g_auto(Rig) rig = rig_run(
        "main: mov $0x620000, %ebx; movq $5, (%rbx)\n"
        " mov $0xffff800000620000, %rcx; mov (%rcx), %r8\n"
        " mov $0xffffffff80620000, %rdx; mov (%rdx), %r9\n"
        " mov $0xffff8000fee00030, %rcx; mov (%rcx), %r10d\n"
        " mov $0x7ffff8, %ebx; mov %rbx, (%rbx)\n"
        " expect 1f\n mov 0xfff, %al\n1: done\n", 1);

    cr_expect_eq(rig_reg(&rig, 0, GPR_R8), 5);
    cr_expect_eq(rig_reg(&rig, 0, GPR_R9), 5);
    cr_expect_eq(rig_reg(&rig, 0, GPR_R10), 0x01060015);
    cr_expect_eq(rig_saw(&rig, 0, SAW_TRAPS), 1);
    cr_expect_eq(rig_saw(&rig, 0, SAW_CR2), 0xfff);
}

Test(loader, an_image_that_does_not_fit_is_refused_with_what_to_do)
{
    MachineOptions options = {.cpus = 1, .ram_mib = 2};
    g_autoptr(Image) image = rig_assemble("main: done\n");
    g_autoptr(Machine) machine = machine_new(&options, NULL);
    g_autoptr(GError) error = NULL;

    cr_expect_not(loader_boot(machine, image, 0, &error));
    cr_assert_not_null(error);
    cr_expect_eq(error->domain, LOADER_ERROR);
    cr_expect_not_null(strstr(error->message, "more RAM"), "%s",
                       error->message);
}
