/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/proof.h"

/* The machine at one moment. */
typedef struct Visit {
    ticks_t clock;
    uint64_t registers[CPUS_MAX][GPR_COUNT];
    GByteArray *state; /* of cores and messages */
    uint32_t line_count;
    uint32_t *lines;       /* those that may differ from the base */
    uint8_t *bytes;        /* their contents */
    uint64_t last_message; /* number of the newest in flight, plus 1 */
} Visit;

typedef struct Playing {
    Machine *machine;
    Proof *proof;
    Actions *actions;
    Drift *drift; /* NULL: on the stem */
    int vector;   /* of the interrupt of this step, or -1 */
    uint64_t runnable, ran, emptied, fired;
} Playing;

void
proof_init(Proof *proof)
{
    *proof = (Proof){
        .words = g_array_new(FALSE, FALSE, sizeof(DriftWord)),
        .registers = g_array_new(FALSE, FALSE, sizeof(DriftRegister)),
    };
}

void
proof_clear(Proof *proof)
{
    g_clear_pointer(&proof->words, g_array_unref);
    g_clear_pointer(&proof->registers, g_array_unref);
    g_clear_pointer(&proof->why, g_free);
}

G_GNUC_PRINTF(2, 3)
static bool
refuse(Playing *playing, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_free(playing->proof->why);
    playing->proof->why = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return false;
}

/* --- Playing -------------------------------------------------------------- */

static void
note_flow(void *user, unsigned cpu, const Insn *insn, unsigned vector)
{
    Playing *playing = user;

    (void)cpu;
    if (insn == NULL)
        playing->vector = (int)vector;
}

/* Who could act at this moment. */
static void
note_moment(Playing *playing)
{
    Machine *machine = playing->machine;

    machine_list_actions(machine, playing->actions);
    playing->runnable |= playing->actions->steps;
    playing->emptied |= ~playing->actions->drains;
}

/* One step of a core, so that each instruction of the loop is seen. */
static bool
play_step(Playing *playing, const Action *action)
{
    Machine *machine = playing->machine;
    CpuStop stop;

    if (!cpu_is_runnable(machine_cpu(machine, action->cpu)))
        return refuse(playing, "cpu%u cannot make that many steps",
                      action->cpu);
    playing->vector = -1;
    if (playing->drift != NULL)
        drift_before_step(playing->drift, action->cpu);
    stop = machine_perform(machine, action, 1);
    if (stop == CPU_STOP_HYPERCALL)
        return refuse(playing, "cpu%u asks for something: that is progress",
                      action->cpu);
    if (stop == CPU_STOP_SHUTDOWN)
        return refuse(playing, "cpu%u shuts down", action->cpu);
    if (playing->drift != NULL && playing->vector >= 0)
        drift_interrupted(playing->drift, action->cpu,
                          (unsigned)playing->vector);
    if (playing->drift != NULL)
        note_moment(playing);
    return true;
}

static bool
play_move(Playing *playing, const LassoMove *move)
{
    Machine *machine = playing->machine;
    const Action *action = &move->action;
    uint64_t bit = UINT64_C(1) << action->cpu;

    note_moment(playing);
    if (move->settles) {
        machine_drain_all(machine);
        note_moment(playing);
        return true;
    }
    if (action->cpu >= machine_cpus(machine) || action->kind == ACTION_DRAIN ||
        (action->kind == ACTION_STEP
             ? (playing->actions->steps & bit) == 0
             : action_lookup(playing->actions, action) ==
                   playing->actions->count)) {
        g_autofree char *text = action_print(action);

        return refuse(playing, "`%s` cannot happen there", text);
    }
    if (action->kind != ACTION_STEP) {
        machine_perform(machine, action, 1);
        if (action->kind == ACTION_FIRE)
            playing->fired |= bit;
        note_moment(playing);
        return true;
    }
    playing->ran |= bit;
    if (move->steps > PROOF_STEPS_MAX - playing->proof->loop_steps)
        return refuse(playing, "it is longer than %u steps", PROOF_STEPS_MAX);
    playing->proof->loop_steps += move->steps;
    for (uint64_t i = 0; i < move->steps; i++)
        if (!play_step(playing, action))
            return false;
    return true;
}

static bool
play(Playing *playing, const GArray *moves)
{
    playing->runnable = playing->ran = playing->emptied = playing->fired = 0;
    playing->proof->loop_steps = 0;
    for (guint i = 0; i < moves->len; i++)
        if (!play_move(playing, &g_array_index(moves, LassoMove, i)))
            return false;
    return true;
}

/* --- Visits --------------------------------------------------------------- */

static void
visit_clear(Visit *visit)
{
    g_clear_pointer(&visit->state, g_byte_array_unref);
    g_clear_pointer(&visit->lines, g_free);
    g_clear_pointer(&visit->bytes, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Visit, visit_clear)

/* Registers are compared one by one, so they are 0 in what is heard. */
static void
listen(Machine *machine, Visit *visit)
{
    const Message *messages;
    Digest digest;
    unsigned count;

    visit->state = g_byte_array_new();
    digest_init(&digest);
    digest_listen(&digest, visit->state);
    for (unsigned i = 0; i < machine_cpus(machine); i++) {
        Cpu *cpu = machine_cpu(machine, i);

        cpu_settle(cpu);
        cpu_own(cpu);
        for (unsigned k = 0; k < GPR_COUNT; k++) {
            visit->registers[i][k] = cpu->live->registers[k];
            cpu->live->registers[k] = 0;
        }
        cpu_digest_state(cpu, &digest);
        memcpy(cpu->live->registers, visit->registers[i],
               sizeof visit->registers[i]);
    }
    messages = machine_messages(machine, &count);
    for (unsigned i = 0; i < count; i++) {
        const LapicMessage *message = &messages[i].message;

        digest_u64(&digest, messages[i].target);
        digest_u64(&digest, message->source);
        digest_u64(&digest, message->destination);
        digest_u64(&digest, (uint64_t)message->delivery << 16 |
                                (uint64_t)message->vector << 8 |
                                (uint64_t)message->shorthand << 4 |
                                (uint64_t)message->logical << 2 |
                                (uint64_t)message->level_triggered << 1 |
                                message->x2apic);
        visit->last_message = messages[i].number + 1;
    }
}

static void
pay_visit(Machine *machine, Visit *visit)
{
    const Gmem *memory = machine_memory(machine);

    *visit = (Visit){.clock = machine_clock(machine),
                     .line_count = memory->dirty_count};
    listen(machine, visit);
    visit->lines = g_memdup2(memory->dirty,
                             memory->dirty_count * sizeof(uint32_t));
    visit->bytes = g_malloc((size_t)memory->dirty_count << LINE_BITS);
    for (uint32_t i = 0; i < memory->dirty_count; i++)
        memcpy(visit->bytes + ((size_t)i << LINE_BITS),
               memory->bytes + ((size_t)memory->dirty[i] << LINE_BITS),
               LINE_BYTES);
}

/* --- Closed --------------------------------------------------------------- */

static void
compare_line(const Gmem *memory, uint32_t line, const uint8_t *before,
             GArray *bytes)
{
    gpa_t at = (gpa_t)line << LINE_BITS;

    for (unsigned i = 0; i < LINE_BYTES; i++) {
        DriftByte byte = {.physical = at + i,
                          .before = before[i],
                          .after = memory->bytes[at + i]};

        if (byte.before != byte.after)
            g_array_append_val(bytes, byte);
    }
}

static int
compare_bytes(gconstpointer a, gconstpointer b)
{
    const DriftByte *x = a, *y = b;

    return x->physical < y->physical ? -1 : x->physical > y->physical;
}

/* The dirty list only grows between two visits, at its end; a line that was
 * clean at the first was as in the base. */
static GArray *
changed_bytes(Machine *machine, const Visit *first)
{
    const Gmem *memory = machine_memory(machine);
    GArray *bytes = g_array_new(FALSE, FALSE, sizeof(DriftByte));

    for (uint32_t i = 0; i < memory->dirty_count; i++) {
        uint32_t line = memory->dirty[i];

        if (i < first->line_count)
            INVARIANT(line == first->lines[i]);
        compare_line(memory, line,
                     i < first->line_count
                         ? first->bytes + ((size_t)i << LINE_BITS)
                         : memory->base + ((size_t)line << LINE_BITS),
                     bytes);
    }
    g_array_sort(bytes, compare_bytes);
    return bytes;
}

static void
list_registers(const Visit *first, const Visit *second, unsigned cpus,
               GArray *registers)
{
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        for (unsigned i = 0; i < GPR_COUNT; i++) {
            DriftRegister drifts = {
                .cpu = cpu,
                .number = i,
                .stride = second->registers[cpu][i] - first->registers[cpu][i],
            };

            if (drifts.stride != 0)
                g_array_append_val(registers, drifts);
        }
}

static bool
check_closed(Playing *playing, const Visit *first)
{
    Machine *machine = playing->machine;
    Proof *proof = playing->proof;
    g_auto(Visit) second = {0};
    g_autoptr(GArray) bytes = NULL;

    pay_visit(machine, &second);
    proof->loop_ticks = second.clock - first->clock;
    if (second.state->len != first->state->len ||
        memcmp(second.state->data, first->state->data, first->state->len) != 0)
        return refuse(playing, "a core, an APIC or the messages in flight are "
                               "not as they were");
    bytes = changed_bytes(machine, first);
    list_registers(first, &second, machine_cpus(machine), proof->registers);
    drift_list_words(playing->drift, bytes, proof->words);
    proof->why = drift_refute(playing->drift, proof->words, proof->registers);
    return proof->why == NULL;
}

/* --- Fair ----------------------------------------------------------------- */

static bool
check_fair(Playing *playing, const Visit *first)
{
    Machine *machine = playing->machine;
    uint64_t left_out = playing->runnable & ~playing->ran;
    const Message *messages;
    unsigned count;

    if (left_out != 0)
        return refuse(playing, "cpu%d could run in it, and does not",
                      __builtin_ctzll(left_out));
    for (unsigned i = 0; i < machine_cpus(machine); i++) {
        const Lapic *lapic = &machine_cpu(machine, i)->state.lapic;

        if (!(playing->emptied >> i & 1))
            return refuse(playing, "the store buffer of cpu%u is never empty",
                          i);
        if (lapic_timer_deadline(lapic) != TICKS_NEVER &&
            !(playing->fired >> i & 1))
            return refuse(playing, "the timer of cpu%u does not fire in it", i);
    }
    messages = machine_messages(machine, &count);
    if (count > 0 && messages[0].number < first->last_message)
        return refuse(playing, "message #%" PRIu64 " is never delivered",
                      messages[0].number);
    if (machine_bus_overflowed(machine))
        return refuse(playing, "a message was lost for want of room");
    if (machine_past(machine)->count > 0)
        return refuse(playing, "older values can still be loaded");
    return playing->ran != 0 || playing->fired != 0 ||
           refuse(playing, "nothing happens in it");
}

/* --- The digest ----------------------------------------------------------- */

static void
blank_words(const Proof *proof, gpa_t at, uint8_t *line)
{
    for (guint i = 0; i < proof->words->len; i++) {
        const DriftWord *word = &g_array_index(proof->words, DriftWord, i);

        for (unsigned k = 0; k < word->size; k++)
            if (word->physical + k >= at &&
                word->physical + k < at + LINE_BYTES)
                line[word->physical + k - at] = 0;
    }
}

/* Lines are added up, so that the order of dirtying does not matter, and those
 * that are as in the base do not count. */
static uint64_t
sum_lines(Playing *playing, const Visit *visit)
{
    const Gmem *memory = machine_memory(playing->machine);
    uint64_t sum = 0;

    for (uint32_t i = 0; i < visit->line_count; i++) {
        uint8_t line[LINE_BYTES], base[LINE_BYTES];
        gpa_t at = (gpa_t)visit->lines[i] << LINE_BITS;
        Digest digest;

        memcpy(line, visit->bytes + ((size_t)i << LINE_BITS), LINE_BYTES);
        memcpy(base, memory->base + at, LINE_BYTES);
        blank_words(playing->proof, at, line);
        blank_words(playing->proof, at, base);
        if (memcmp(line, base, LINE_BYTES) == 0)
            continue;
        digest_init(&digest);
        digest_u64(&digest, at);
        digest_bytes(&digest, line, LINE_BYTES);
        sum += digest_value(&digest);
    }
    return sum;
}

static bool
is_left_out(const Proof *proof, unsigned cpu, unsigned number)
{
    for (guint i = 0; i < proof->registers->len; i++) {
        const DriftRegister *r = &g_array_index(proof->registers, DriftRegister,
                                                i);

        if (r->cpu == cpu && r->number == number)
            return true;
    }
    return false;
}

static uint64_t
digest_of(Playing *playing, const Visit *visit)
{
    const Proof *proof = playing->proof;
    Digest digest;

    digest_init(&digest);
    digest_bytes(&digest, visit->state->data, visit->state->len);
    for (unsigned cpu = 0; cpu < machine_cpus(playing->machine); cpu++)
        for (unsigned i = 0; i < GPR_COUNT; i++)
            digest_u64(&digest, is_left_out(proof, cpu, i)
                                    ? 0
                                    : visit->registers[cpu][i]);
    digest_u64(&digest, sum_lines(playing, visit));
    return digest_value(&digest);
}

/* --- The proof ------------------------------------------------------------ */

static bool
check_loop(Playing *playing, const Lasso *lasso)
{
    g_autoptr(Drift) drift = drift_new(playing->machine);
    g_auto(Visit) first = {0};
    bool proved;

    pay_visit(playing->machine, &first);
    playing->drift = drift;
    proved = play(playing, lasso->loop) && check_fair(playing, &first) &&
             check_closed(playing, &first);
    playing->drift = NULL;
    playing->proof->ran = playing->ran;
    if (proved)
        playing->proof->digest = digest_of(playing, &first);
    return proved;
}

bool
proof_check(Machine *machine, const Lasso *lasso, Proof *proof)
{
    g_autofree Actions *actions = g_new(Actions, 1);
    Playing playing = {.machine = machine, .proof = proof, .actions = actions};
    MachineWatch watch = {.flow = note_flow, .user = &playing};
    bool traced = machine_cpu(machine, 0)->trace_calls;
    bool proved;

    machine_watch(machine, &watch);
    machine_watch_flow(machine, true);
    proved = play(&playing, lasso->stem) && check_loop(&playing, lasso);
    machine_watch_flow(machine, traced);
    machine_watch(machine, NULL);
    return proved;
}
