/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Livelock is a word for what is proved.  Guests that go round for ever, and
 * guests that look very much like it and do not.
 */
#include "base/base.h"

#include "machine_rig.h"

#include "watch/proof.h"
#include "watch/verdict.h"

TestSuite(proof, .timeout = 60);

#define COUNTER "0x620000"

/* The core stands before VMCALL in `main`, and goes on from there. */
static Rig
rig_at(const char *text, unsigned cpus)
{
    Rig rig = rig_run(text, cpus);

    machine_rebase(rig.machine);
    for (unsigned i = 0; i < cpus; i++)
        if (machine_cpu(rig.machine, i)->state.activity == CPU_HELD)
            machine_finish_hypercall(rig.machine, i, 0);
    return rig;
}

static void
view_init(StateView *view)
{
    StateRange counter = {0x620000, 16};
    StateFifo fifo = {.physical = 0x620100, .size = 0x40, .written = 0,
                      .read = 4, .executed = 8, .slots = 16, .slot_size = 8,
                      .depth = 4};

    state_view_init(view);
    g_array_append_val(view->ranges, counter);
    g_array_append_val(view->fifos, fifo);
    state_view_sort(view);
}

static bool
is_livelock(Machine *machine, Lasso *lasso)
{
    uint64_t digest = machine_digest(machine);
    Verdict verdict = {.kind = VERDICT_DONE};
    StateView view;
    bool found;

    view_init(&view);
    found = verdict_find_lasso(machine, &view, 100000, &verdict, lasso);
    cr_expect_eq(machine_digest(machine), digest, "the look ahead shows");
    state_view_clear(&view);
    return found;
}

/* Each is found, and its lasso passes the proof that trusts nobody. */
Test(proof, loops_that_go_on_for_ever_are_proved)
{
    static const char *const loops[] = {
        "1: pause; jmp 1b\n",
        "1: jmp 1b\n",
        /* it counts, and nobody looks */
        "1: incq " COUNTER "; pause; jmp 1b\n",
        "1: lock addl $3, " COUNTER "; xor %eax, %eax; pause; jmp 1b\n",
        "1: mov " COUNTER ", %rax; add $7, %rax; mov %rax, " COUNTER
        "; mov $0, %eax; test %eax, %eax; pause; jmp 1b\n",
        /* a queue whose entries go round */
        "1: incl 0x620100; incl 0x620104; incl 0x620108; pause; jmp 1b\n",
        "1: mov 0x620104, %eax; and $3, %eax; mov 0x620110(,%rax,8), %rbx\n"
        " incl 0x620100; incl 0x620104; incl 0x620108\n"
        " mov 0x620100, %ecx; sub 0x620104, %ecx; jnz 2f; xor %ecx, %ecx\n"
        " pause; jmp 1b\n 2: vmcall\n",
        /* the same every time, written and read */
        "1: movq $5, 0x620200; mov 0x620200, %rax; push %rax; pop %rbx\n"
        " cmp $5, %rbx; jne 2f; pause; jmp 1b\n 2: vmcall\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(loops); i++) {
        g_autofree char *text = g_strconcat("main: vmcall\n", loops[i], NULL);
        g_auto(Rig) rig = rig_at(text, 1);
        g_auto(Lasso) lasso = {0};
        g_auto(Proof) proof = {0};

        lasso_init(&lasso);
        proof_init(&proof);
        cr_expect(is_livelock(rig.machine, &lasso), "%s", loops[i]);
        cr_expect(proof_check(rig.machine, &lasso, &proof), "%s: %s", loops[i],
                  proof.why);
    }
}

static void
expect_no_livelock(const char *loop)
{
    g_autofree char *text = g_strconcat("main: vmcall\n", loop, NULL);
    g_auto(Rig) rig = rig_at(text, 1);

    cr_expect_not(is_livelock(rig.machine, NULL), "%s", loop);
}

Test(proof, loops_that_end_some_day_are_not)
{
    static const char *const loops[] = {
        "1: incq " COUNTER "; cmpq $50000000, " COUNTER
        "; je 2f; pause; jmp 1b\n 2: vmcall\n",
        "1: incl " COUNTER "; jz 2f; pause; jmp 1b\n 2: vmcall\n",
        "1: incl " COUNTER "; pushf; pause; popf; js 2f; jmp 1b\n 2: vmcall\n",
        "1: mov " COUNTER ", %rax; inc %rax; mov %rax, " COUNTER
        "; bt $40, %rax; jc 2f; mov $0, %eax; xor %ecx, %ecx\n"
        " pause; jmp 1b\n 2: vmcall\n",
        /* by way of an address, of memory, of a conditional move */
        "1: incq " COUNTER "; mov " COUNTER ", %rax; mov 0x620000(%rax), %bl\n"
        " xor %ebx, %ebx; xor %eax, %eax; pause; jmp 1b\n",
        "1: incq " COUNTER "; mov " COUNTER ", %rax; shr $30, %rax\n"
        " mov %rax, 0x620300; xor %eax, %eax; cmpq $0, 0x620300\n"
        " jne 2f; pause; jmp 1b\n 2: vmcall\n",
        "1: incq " COUNTER "; xor %ecx, %ecx; cmpq $9000000, " COUNTER "\n"
        " setae %cl; test %ecx, %ecx; jnz 2f; pause; jmp 1b\n 2: vmcall\n",
        /* an index that is looked at as a number */
        "1: incl 0x620100; incl 0x620104; incl 0x620108\n"
        " cmpl $0x800000, 0x620104; ja 2f; xor %ecx, %ecx\n"
        " pause; jmp 1b\n 2: vmcall\n",
        /* the high bits of an index */
        "1: incl 0x620100; incl 0x620104; incl 0x620108\n"
        " testl $0xffffff, 0x620104; jz 2f; xor %ecx, %ecx\n"
        " pause; jmp 1b\n 2: vmcall\n",
        /* time */
        "1: rdtsc; cmp $100000000, %eax; ja 2f; xor %eax, %eax\n"
        " xor %edx, %edx; cmp %eax, %edx; pause; jmp 1b\n 2: vmcall\n",
        "1: mov $0x10, %ecx; rdmsr; cmp $100000000, %eax; ja 2f\n"
        " xor %eax, %eax; xor %edx, %edx; cmp %eax, %edx; pause; jmp 1b\n"
        " 2: vmcall\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(loops); i++)
        expect_no_livelock(loops[i]);
}

Test(proof, loops_that_fail_or_fire_some_day_are_not)
{
    static const char *const loops[] = {
        /* a division that fails some day */
        " expect 2f\n1: incl " COUNTER "; mov " COUNTER ", %ecx\n"
        " mov $1, %eax; xor %edx, %edx; div %ecx; xor %eax, %eax\n"
        " xor %edx, %edx; xor %ecx, %ecx; test %ecx, %ecx; pause; jmp 1b\n"
        " 2: vmcall\n",
        /* how often a string instruction goes on */
        " movq $0x100000, " COUNTER "\n"
        "1: incq " COUNTER "; mov " COUNTER ", %rcx; shr $20, %rcx\n"
        " movb $0, 0x620301; mov $0x620300, %edi; mov $1, %al; rep stosb\n"
        " xor %ecx, %ecx; xor %edi, %edi; xor %eax, %eax\n"
        " cmpb $0, 0x620301; jne 2f; pause; jmp 1b\n 2: vmcall\n",
        /* a timer that is set to a fixed time, and off again before it */
        " apic 0x320, 0x40040\n sti\n1: msr 0x6e0, 5000000\n"
        " msr 0x6e0, 0\n cmpl $0, %gs:104; jne 2f; pause; jmp 1b\n"
        " 2: vmcall\n",
        /* a timer of which nobody hears */
        " apic 0x3e0, 0xb\n apic 0x320, 0x10040\n apic 0x380, 9000000\n"
        "1: mov 0xfee00390, %eax; test %eax, %eax; mov $0, %eax\n"
        " jz 2f; pause; jmp 1b\n 2: vmcall\n",
        /* the lowest byte is the same, the rest is not */
        "1: addq $256, " COUNTER "; mov " COUNTER ", %rax; mov $5, %al\n"
        " cmp $50000005, %rax; ja 2f; xor %eax, %eax; pause; jmp 1b\n"
        " 2: vmcall\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(loops); i++)
        expect_no_livelock(loops[i]);
}

Test(proof, what_counts_is_followed_wherever_it_goes)
{
    static const char *const loops[] = {
        /* flags that a shift by nothing leaves */
        "1: incq " COUNTER "; cmpq $50000000, " COUNTER "; mov $0, %ecx\n"
        " shl %cl, %eax; ja 2f; xor %ecx, %ecx; pause; jmp 1b\n 2: vmcall\n",
        "1: incq " COUNTER "; cmpq $50000000, " COUNTER "; mov $0, %ecx\n"
        " mov $0x620000, %esi; mov %rsi, %rdi; repe cmpsb; ja 2f\n"
        " xor %ecx, %ecx; pause; jmp 1b\n 2: vmcall\n",
        "1: incq " COUNTER "; cmpq $50000000, " COUNTER "; shl $32, %eax\n"
        " ja 2f; xor %ecx, %ecx; pause; jmp 1b\n 2: vmcall\n",
        "1: incq " COUNTER "; movq " COUNTER ", %xmm0; movq %xmm0, %rax\n"
        " pxor %xmm0, %xmm0; cmp $50000000, %rax; ja 2f; xor %eax, %eax\n"
        " pause; jmp 1b\n 2: vmcall\n",
        "1: incq " COUNTER "; mov " COUNTER ", %rax; mov %ah, %bl\n"
        " cmp $200, %bl; ja 2f; xor %eax, %eax; xor %ebx, %ebx\n"
        " pause; jmp 1b\n 2: vmcall\n",
        "1: incq " COUNTER "; mov " COUNTER ", %rax; mov %rax, %cr2\n"
        " mov %cr2, %rbx; xor %eax, %eax; mov %rax, %cr2\n"
        " cmp $50000000, %rbx; ja 2f; xor %ebx, %ebx; pause; jmp 1b\n"
        " 2: vmcall\n",
        "1: incq " COUNTER "; mov " COUNTER ", %rax; mov %rax, %dr0\n"
        " mov %dr0, %rbx; xor %eax, %eax; mov %rax, %dr0\n"
        " cmp $50000000, %rbx; ja 2f; xor %ebx, %ebx; pause; jmp 1b\n"
        " 2: vmcall\n",
        "1: incq " COUNTER "; fildq " COUNTER "; fistpq 0x620300\n"
        " mov 0x620300, %rbx; movq $0, 0x620300; cmp $50000000, %rbx; ja 2f\n"
        " xor %ebx, %ebx; pause; jmp 1b\n 2: vmcall\n",
        "1: incq " COUNTER "; mov " COUNTER ", %rcx; jrcxz 2f\n"
        " xor %ecx, %ecx; pause; jmp 1b\n 2: vmcall\n",
        "1: incq " COUNTER "; mov " COUNTER ", %rax; shr $30, %rax\n"
        " lock cmpxchg %rax, 0x620300; xor %eax, %eax; cmpq $0, 0x620300\n"
        " jne 2f; pause; jmp 1b\n 2: vmcall\n",
        "1: incq " COUNTER "; mov " COUNTER ", %rax; shr $30, %rax; sahf\n"
        " mov %eax, %ecx; lahf; cmp $3, %ah; je 2f; xor %eax, %eax\n"
        " xor %ecx, %ecx; pause; jmp 1b\n 2: vmcall\n",
        "1: incq " COUNTER "; mov " COUNTER ", %rax; rol $34, %rax\n"
        " mov $0x620000, %ebx; xlat; xor %eax, %eax; pause; jmp 1b\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(loops); i++)
        expect_no_livelock(loops[i]);
}

/* --- Lassos made by hand -------------------------------------------------- */

static void
add(GArray *moves, const char *lines)
{
    g_auto(GStrv) all = g_strsplit(lines, "; ", -1);

    for (char **line = all; *line != NULL; line++) {
        LassoMove move;

        cr_assert(lasso_parse_move(*line, &move), "%s", *line);
        g_array_append_val(moves, move);
    }
}

static void
expect(Rig *rig, const char *stem, const char *loop, const char *why)
{
    g_auto(Lasso) lasso = {0};
    g_auto(Proof) proof = {0};
    bool proved;

    lasso_init(&lasso);
    proof_init(&proof);
    add(lasso.stem, stem);
    add(lasso.loop, loop);
    proved = proof_check(rig->machine, &lasso, &proof);
    if (why == NULL)
        cr_expect(proved, "%s: %s", loop, proof.why);
    else
        cr_expect(!proved && strstr(proof.why, why) != NULL, "%s: %s", loop,
                  proof.why);
}

/* Registers may count too, if nobody looks. */
Test(proof, a_counter_may_be_in_a_register)
{
    g_auto(Rig) rig = rig_at("main: vmcall\n 1: inc %r12; xor %eax, %eax\n"
                             " lea 1(%r13,%r12,2), %r13; xor %r13, %r13\n"
                             " pause; jmp 1b\n", 1);

    expect(&rig, "settle; step cpu0 6", "step cpu0 6; settle", NULL);
}

Test(proof, a_register_that_counts_towards_a_branch_is_refused)
{
    g_auto(Rig) rig = rig_at("main: vmcall\n 1: inc %r12\n"
                             " cmp $1000000, %r12; je 2f; pause; jmp 1b\n"
                             "2: vmcall\n", 1);

    expect(&rig, "settle; step cpu0 5", "step cpu0 5; settle",
           "branches on what");
}

Test(proof, what_is_no_loop_is_refused)
{
    g_auto(Rig) rig = rig_at("main: vmcall\n 1: nop; pause; jmp 1b\n", 1);

    expect(&rig, "settle", "step cpu0 2; settle", "not as they were");
}

Test(proof, a_loop_must_let_everybody_run)
{
    g_auto(Rig) rig = rig_at("main: jmp start_all\n"
                             "body: vmcall\n 1: pause; jmp 1b\n", 2);

    expect(&rig, "settle", "step cpu0 2; settle", "cpu1 could run in it");
}

Test(proof, both_of_two_that_spin_are_proved)
{
    g_auto(Rig) rig = rig_at("main: jmp start_all\n"
                             "body: vmcall\n 1: pause; jmp 1b\n", 2);

    expect(&rig, "settle", "step cpu0 2; step cpu1 4; settle", NULL);
}

/* cpu 0 stores for ever into its buffer, and if that is never drained cpu 1
 * does not see it. */
Test(proof, a_store_buffer_must_be_empty_at_some_moment)
{
    g_auto(Rig) rig =
        rig_at("main: jmp start_all\n"
               "body: vmcall; test %edi, %edi; jnz 2f; movq $1, 0x620200\n"
               "1: pause; jmp 1b\n"
               "2: pause; cmpq $0, 0x620200; je 2b; vmcall\n", 2);
    MemoryOptions tso = {.model = MEMORY_TSO, .depth = 4};

    machine_set_memory(rig.machine, &tso);
    expect(&rig, "settle; step cpu0 3; step cpu1 2",
           "step cpu0 2; step cpu1 3", "store buffer of cpu0 is never empty");
}

/* The IPI that would end cpu 1's loop is on its way for ever. */
Test(proof, a_message_must_arrive)
{
    g_auto(Rig) rig =
        rig_at("main: jmp start_all\n"
               "body: vmcall; test %edi, %edi; jnz 2f\n"
               " apic 0x310, 0x01000000\n apic 0x300, 0x40\n"
               "1: pause; jmp 1b\n"
               "2: sti\n 3: pause; jmp 3b\n", 2);

    expect(&rig, "settle; step cpu0 6; step cpu1 4; settle",
           "step cpu0 2; step cpu1 2; settle", "is never delivered");
}

Test(proof, a_loop_of_too_many_steps_is_refused)
{
    g_auto(Rig) rig = rig_at("main: vmcall\n 1: pause; jmp 1b\n", 1);

    expect(&rig, "settle", "step cpu0 18446744073709551615; settle",
           "longer than");
    expect(&rig, "settle", "step cpu0 4; step cpu0 18446744073709551614",
           "longer than");
}

Test(proof, a_move_must_be_possible)
{
    g_auto(Rig) rig = rig_at("main: vmcall\n 1: pause; jmp 1b\n", 1);

    expect(&rig, "settle", "step cpu0 2; deliver #7 to cpu0", "cannot happen");
    expect(&rig, "settle", "step cpu0 2; fire cpu0", "cannot happen");
    expect(&rig, "settle", "step cpu3 2", "cannot happen");
}

Test(proof, a_hypercall_is_progress)
{
    g_auto(Rig) rig = rig_at("main: vmcall; nop; vmcall\n 1: jmp 1b\n", 1);

    expect(&rig, "settle", "step cpu0 2; settle", "that is progress");
}

Test(lasso, moves_are_read_as_they_are_written)
{
    static const char *const lines[] = {"settle", "step cpu1 57",
                                        "deliver #12 to cpu1", "fire cpu0"};
    static const char *const wrong[] = {
        "", "settle ", "step cpu1", "step cpu1 0", "step cpu1 5 6",
        "step cpu64 1", "step cpu1 -5", "deliver 12 to cpu1",
        "deliver #12 to", "fire", "fire cpu0 1", "drain cpu0", "steps cpu1 5"};
    LassoMove move;

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GString) text = g_string_new(NULL);

        cr_assert(lasso_parse_move(lines[i], &move), "%s", lines[i]);
        lasso_print_move(&move, text);
        cr_expect_str_eq(text->str, lines[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        cr_expect_not(lasso_parse_move(wrong[i], &move), "%s", wrong[i]);
}
