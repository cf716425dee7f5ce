/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_rig -- a small guest with stories, and a Run on it, for tests of runs.
 *
 * Beside the layers: included by test_*.c only.
 */
#ifndef TESTS_RUN_RIG_H
#define TESTS_RUN_RIG_H

#include "machine_rig.h"

#include "choose/census.h"
#include "choose/run.h"
#include "choose/watching.h"

/* A core asks for the next function of its story, and calls it. */
#define RUN_RIG_BODY                                                           \
    "body: xor %r12d, %r12d; sti\n"                                            \
    "story: mov %r12, %rdi; xor %eax, %eax; vmcall\n"                          \
    " test %rax, %rax; jz idle\n"                                              \
    " mov %rax, %rbx; call *%rbx; mov %rax, %r12; jmp story\n"                 \
    "idle: sti; hlt; jmp idle\n"

static const char run_guest[] =
    "main: jmp start_all\n" RUN_RIG_BODY
    ".globl bump, lose, spin, die, sleep_deep, triple, forbid, ring\n"
    "bump: mov 0x620000, %rax; inc %rax; mov %rax, 0x620000; ret\n"
    "lose: mov $text, %edi; mov $1, %eax; vmcall; ret\n"
    "spin: pause; jmp spin\n"
    "sleep_deep: cli; hlt; ret\n"
    "triple: lidt zero; ud2\n"
    "forbid: mov $77, %eax; vmcall; ret\n"
    "ring: apic 0x300, 0xc0045\n mov $2, %eax; mov $text, %edi; mov $4, %esi\n"
    " vmcall; ret\n"
    "zero: .quad 0, 0\n"
    "text: .asciz \"lost\"\n";

typedef struct Script {
    /* Of each cpu, NULL-terminated: functions, "wait" for ever, "choose" one
     * of three. */
    const char *const *calls[4];
    unsigned at[4];
    uint64_t results[4]; /* of each cpu's calls and choices, three bits each */
    const Rig *rig;
    Run *run;
    unsigned told;
} Script;

static inline void
begin(void *user)
{
    Script *script = user;

    memset(script->at, 0, sizeof script->at);
    memset(script->results, 0, sizeof script->results);
}

static inline bool
next(void *user, unsigned cpu, uint64_t result, StoryStep *step,
     StoryCall *call, GError **error)
{
    Script *script = user;
    const char *name = script->calls[cpu][script->at[cpu]];

    (void)error;
    script->results[cpu] = script->results[cpu] * 8 + result;
    if (g_strcmp0(name, "choose") == 0) {
        script->results[cpu] += run_choose(script->run, 3);
        name = script->calls[cpu][++script->at[cpu]];
    }
    *step = STORY_END;
    if (name == NULL)
        return true;
    if (g_str_equal(name, "wait")) {
        *step = STORY_WAIT;
        return true;
    }
    script->at[cpu]++;
    *step = STORY_CALL;
    call->function = rig_symbol(script->rig, name);
    return true;
}

static inline uint64_t
marks(void *user)
{
    (void)user;
    return 0;
}

static inline const char *
awaited(void *user, unsigned cpu)
{
    (void)user, (void)cpu;
    return "green";
}

static inline void
tell(void *user, unsigned cpu, gva_t rip)
{
    (void)cpu, (void)rip;
    ((Script *)user)->told++;
}

typedef struct Bench {
    Rig rig;
    Script script;
    Stories stories;
    StateView view;
    Run *run;
    Watching watching; /* if bench_watch() was called */
    Census census;     /* empty, for whoever takes it */
} Bench;

/* The guest is at the start of its runs, under this model. */
static inline void
bench_begin(Bench *bench, Rig rig, const MemoryOptions *memory)
{
    Verdict verdict;

    *bench = (Bench){.rig = rig};
    bench->script.rig = &bench->rig;
    bench->stories = (Stories){.begin = begin, .next = next, .marks = marks,
                               .awaited = awaited, .user = &bench->script};
    state_view_init(&bench->view);
    census_init(&bench->census);
    run_set_up(bench->rig.machine, 1000000, &verdict);
    cr_assert_eq(verdict.kind, VERDICT_DONE, "%s %s",
                 verdict_name(verdict.kind), verdict.text);
    machine_rebase(bench->rig.machine);
    if (memory != NULL)
        machine_set_memory(bench->rig.machine, memory);
    bench->run = run_new(&(RunSetup){.machine = bench->rig.machine,
                                     .stories = &bench->stories,
                                     .image = bench->rig.image,
                                     .view = &bench->view,
                                     .steps_max = 100000});
    bench->script.run = bench->run;
}

static inline void
bench_init(Bench *bench, unsigned cpus, CpuEngine engine)
{
    bench_begin(bench, rig_new(run_guest, cpus, engine), NULL);
}

static inline void
bench_watch(Bench *bench)
{
    watching_begin(&bench->watching, bench->rig.machine);
}

static inline void
bench_clear(Bench *bench)
{
    watching_end(&bench->watching);
    run_free(bench->run);
    census_clear(&bench->census);
    state_view_clear(&bench->view);
    rig_clear(&bench->rig);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

static inline RunResult
execute(Bench *bench, const Tape *played, uint64_t seed)
{
    Strategy *strategy = strategy_random_new(0);
    RunResult result = {.steps = 0};

    cr_assert(run_execute(bench->run, strategy, played, seed, &result, NULL));
    strategy_free(strategy);
    return result;
}

static const char *const run_bumps[] = {"bump", "bump", "bump", "bump", NULL};
static const char *const run_rings[] = {"ring", "bump", "ring", NULL};
static const char *const nothing[] = {NULL};

#endif
