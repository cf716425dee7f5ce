/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/run_parts.h"

/* Does the strategy want the core to stop because a claim speaks of this
 * place? */
static bool
strategy_stands(Run *run, unsigned cpu, gva_t rip)
{
    return run->setup.probe != NULL && !directing_is_active(&run->director) &&
           probe_has_claimed(run->setup.probe, rip) &&
           choice_stands(&run->choice, cpu);
}

static void
tell_point(void *user, unsigned cpu, gva_t rip)
{
    Run *run = user;
    Cpu *core = machine_cpu(run->setup.machine, cpu);
    const Insn *insn = cpu_insn_at(core, rip);

    if (!directing_is_active(&run->director) &&
        choice_stops(&run->choice, core, rip, insn))
        machine_break(run->setup.machine, cpu);
    if (!(insn->flags & CODE_POINT) && run->observer.point == NULL)
        return;
    if (run->setup.probe != NULL)
        probe_point(run->setup.probe, cpu, rip);
    if (run->coverage != NULL)
        coverage_point(run->coverage, cpu, rip);
    if (directing_wants(&run->director, cpu, rip) ||
        strategy_stands(run, cpu, rip))
        machine_break(run->setup.machine, cpu);
    if (run->observer.point != NULL)
        run->observer.point(run->observer.user, cpu, rip);
}

static void
tell_access(void *user, unsigned cpu, gpa_t physical, const InsnAccess *access)
{
    Run *run = user;

    if (run->setup.probe != NULL)
        probe_access(run->setup.probe, cpu, physical, access->size);
    if (run->coverage != NULL)
        coverage_access(run->coverage, cpu, physical, access);
    if (!directing_is_active(&run->director) &&
        choice_touches(&run->choice, cpu, physical, access))
        machine_break(run->setup.machine, cpu);
    if (run->observer.access != NULL)
        run->observer.access(run->observer.user, cpu, physical, access);
}

static void
tell_visible(void *user, unsigned cpu, gpa_t physical, uint64_t size,
             gva_t rip)
{
    Run *run = user;

    if (run->coverage != NULL)
        coverage_visible(run->coverage, cpu, physical, size, rip);
}

static void
tell_interrupted(void *user, unsigned cpu, unsigned vector, gva_t rip)
{
    Run *run = user;

    if (run->setup.probe != NULL &&
        machine_cpu(run->setup.machine, cpu)->point_told)
        probe_not_yet(run->setup.probe, cpu, rip);
    if (run->coverage != NULL)
        coverage_interrupted(run->coverage, cpu, vector, rip);
}

static void
tell_flow(void *user, unsigned cpu, const Insn *insn, unsigned vector)
{
    Run *run = user;
    Strategy *strategy = run->choice.strategy;

    if (strategy->flowed != NULL)
        strategy->flowed(strategy, cpu, insn, vector);
    if (run->observer.flow != NULL)
        run->observer.flow(run->observer.user, cpu, insn, vector);
}

static void
tell_sent(void *user, unsigned cpu, const Message *message)
{
    Run *run = user;

    if (run->observer.sent != NULL)
        run->observer.sent(run->observer.user, cpu, message);
}

static unsigned
tell_late(void *user, unsigned cpu, unsigned count)
{
    Run *run = user;
    unsigned choice = directing_late(&run->director, &run->choice, cpu, count);

    if (choice > 0 && run->observer.late != NULL)
        run->observer.late(run->observer.user, cpu, choice);
    return choice;
}

void
run_watch(Run *run)
{
    MachineWatch watch = {
        .point = tell_point,
        .access = tell_access,
        .visible = tell_visible,
        .interrupted = tell_interrupted,
        .flow = tell_flow,
        .sent = tell_sent,
        .late = tell_late,
        .user = run,
    };

    machine_watch(run->setup.machine, &watch);
}

/* --- The state of a run --------------------------------------------------- */

/* A story's access is like one of its core; it stands anyway. */
static void
tell_strategy(Run *run, unsigned cpu, gva_t address, const InsnAccess *access)
{
    Strategy *strategy = run->choice.strategy;
    gpa_t physical;

    if (strategy->touched != NULL &&
        gmem_translate(machine_memory(run->setup.machine), address,
                       access->size, &physical))
        strategy->touched(strategy, cpu, physical, access);
}

void
run_loaded(Run *run, unsigned cpu, gva_t address, uint64_t size)
{
    InsnAccess access = {.size = (uint16_t)size, .mode = INSN_ACCESS_READ};
    uint64_t bits = 0;

    if (size > sizeof bits ||
        !machine_read(run->setup.machine, cpu, address, &bits, size))
        return;
    digest_u64(&run->told[cpu], bits);
    tell_strategy(run, cpu, address, &access);
}

void
run_stored(Run *run, unsigned cpu, gva_t address, uint64_t size)
{
    InsnAccess access = {.size = (uint16_t)size, .mode = INSN_ACCESS_WRITE};

    tell_strategy(run, cpu, address, &access);
}

/* Everything that the rest of the run depends on, but for the strategy.  A
 * director is a coroutine that nobody can look into. */
bool
run_digest(void *user, Digest *digest)
{
    Run *run = user;
    Machine *machine = run->setup.machine;
    const Stories *stories = run->setup.stories;

    if (run->setup.director != NULL || lasso_has_timer(machine) ||
        (stories->are_entangled != NULL &&
         stories->are_entangled(stories->user)))
        return false;
    digest_u64(digest, state_hash_exactly(machine, run->setup.view));
    for (unsigned i = 0; i < machine_cpus(machine); i++)
        digest_u64(digest, digest_value(&run->told[i]));
    digest_u64(digest, run->marked);
    digest_u64(digest, run->stories.waiting);
    digest_u64(digest, run->stories.finished);
    if (run->setup.probe != NULL)
        probe_digest(run->setup.probe, digest);
    return true;
}
