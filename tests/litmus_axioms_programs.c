/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus_axioms.h"

static const char *const LOCATION_NAMES[AXIOMS_LOCATIONS] = {"w", "x", "y",
                                                             "z"};
static const char *const REGISTER_NAMES[AXIOMS_REGISTERS] = {
    "rax", "rcx", "rdx", "rbx", "rsi"};

/* The order in which programs take registers, as people do. */
static const unsigned REGISTERS_BY_USE[AXIOMS_REGISTERS] = {0, 3, 1, 2, 4};
#define RAX 0u
#define RBX 3u

/* What follows a word of the short form. */
typedef enum Shape { ALONE, LOCATION, LOCATION_REGISTER } Shape;

static const struct {
    const char *word;
    AxiomsOperation operation;
    Shape shape;
} WORDS[] = {
    {"R", AXIOMS_LOAD, LOCATION_REGISTER}, {"M", AXIOMS_MFENCE, ALONE},
    {"SF", AXIOMS_SFENCE, ALONE},          {"LF", AXIOMS_LFENCE, ALONE},
    {"X", AXIOMS_XCHG, LOCATION_REGISTER}, {"I", AXIOMS_INC, LOCATION},
    {"LI", AXIOMS_LOCK_INC, LOCATION},     {"C", AXIOMS_CAS, LOCATION_REGISTER},
};

const char *
axioms_location_name(unsigned location)
{
    INVARIANT(location < AXIOMS_LOCATIONS);
    return LOCATION_NAMES[location];
}

const char *
axioms_register_name(unsigned reg)
{
    INVARIANT(reg < AXIOMS_REGISTERS);
    return REGISTER_NAMES[reg];
}

/* Index of the name, or `count`. */
static unsigned
lookup_name(const char *const *names, unsigned count, const char *name)
{
    unsigned i = 0;

    while (i < count && strcmp(names[i], name) != 0)
        i++;
    return i;
}

static unsigned
parse_name(const char *const *names, unsigned count, const char *name)
{
    unsigned i = lookup_name(names, count, name);

    if (i == count)
        BUG("litmus program: unknown name '%s'", name);
    return i;
}

static int64_t
parse_constant(const char *text)
{
    char *end = NULL;
    int64_t value = g_ascii_strtoll(text, &end, 10);

    if (end == text || *end != '\0')
        BUG("litmus program: '%s' is not a number", text);
    return value;
}

/* "W x 1", "W x rax" and "S rax 1": the words that take a value. */
static bool
parse_store(AxiomsInstruction *instruction, char **words)
{
    unsigned reg;

    if (g_strv_length(words) != 3)
        return false;
    if (strcmp(words[0], "S") == 0) {
        instruction->operation = AXIOMS_SET;
        instruction->reg = parse_name(REGISTER_NAMES, AXIOMS_REGISTERS,
                                      words[1]);
        instruction->constant = parse_constant(words[2]);
        return true;
    }
    if (strcmp(words[0], "W") != 0)
        return false;
    instruction->location = parse_name(LOCATION_NAMES, AXIOMS_LOCATIONS,
                                       words[1]);
    reg = lookup_name(REGISTER_NAMES, AXIOMS_REGISTERS, words[2]);
    if (reg < AXIOMS_REGISTERS) {
        instruction->operation = AXIOMS_STORE_REGISTER;
        instruction->reg = reg;
    } else {
        instruction->operation = AXIOMS_STORE_CONSTANT;
        instruction->constant = parse_constant(words[2]);
    }
    return true;
}

static void
parse_instruction(AxiomsInstruction *instruction, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    if (parse_store(instruction, words))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(WORDS); i++) {
        if (strcmp(words[0], WORDS[i].word) != 0 ||
            g_strv_length(words) != 1u + (unsigned)WORDS[i].shape)
            continue;
        instruction->operation = WORDS[i].operation;
        if (WORDS[i].shape >= LOCATION)
            instruction->location = parse_name(LOCATION_NAMES, AXIOMS_LOCATIONS,
                                               words[1]);
        if (WORDS[i].shape == LOCATION_REGISTER)
            instruction->reg = parse_name(REGISTER_NAMES, AXIOMS_REGISTERS,
                                          words[2]);
        return;
    }
    BUG("litmus program: '%s' is no instruction", text);
}

void
axioms_parse(AxiomsProgram *program, const char *text)
{
    g_auto(GStrv) threads = g_strsplit(text, " || ", -1);

    memset(program, 0, sizeof *program);
    program->threads = g_strv_length(threads);
    INVARIANT(program->threads <= AXIOMS_THREADS_MAX);
    for (unsigned i = 0; i < program->threads; i++) {
        g_auto(GStrv) lines = g_strsplit(threads[i], "; ", -1);

        program->length[i] = g_strv_length(lines);
        INVARIANT(program->length[i] <= AXIOMS_LENGTH_MAX);
        for (unsigned j = 0; j < program->length[i]; j++)
            parse_instruction(&program->code[i][j], lines[j]);
    }
}

static bool
operation_has_location(AxiomsOperation operation)
{
    return operation != AXIOMS_SET && operation != AXIOMS_MFENCE &&
           operation != AXIOMS_SFENCE && operation != AXIOMS_LFENCE;
}

/* Dropped if the thread is full, which only the end of a thread can be. */
static void
append(AxiomsProgram *program, unsigned thread, AxiomsInstruction instruction)
{
    unsigned *length = &program->length[thread];

    if (*length < AXIOMS_LENGTH_MAX)
        program->code[thread][(*length)++] = instruction;
}

/* 1, 2... for the stores of a program, so that a load says which it saw;
 * now and then one that was there already. */
static int64_t
invent_value(Prng *prng, int64_t *last)
{
    if (*last > 0 && prng_chance(prng, 1, 8))
        return 1 + (int64_t)prng_below(prng, (uint64_t)*last);
    return ++*last;
}

static AxiomsOperation
invent_operation(Prng *prng)
{
    static const AxiomsOperation seldom[] = {AXIOMS_STORE_REGISTER,
                                             AXIOMS_STORE_REGISTER,
                                             AXIOMS_SET,
                                             AXIOMS_XCHG,
                                             AXIOMS_MFENCE,
                                             AXIOMS_SFENCE,
                                             AXIOMS_LFENCE,
                                             AXIOMS_INC,
                                             AXIOMS_LOCK_INC,
                                             AXIOMS_CAS};

    if (prng_chance(prng, 1, 3))
        return seldom[prng_below(prng, G_N_ELEMENTS(seldom))];
    return prng_chance(prng, 1, 2) ? AXIOMS_LOAD : AXIOMS_STORE_CONSTANT;
}

/* A register for the operation: loads take a fresh one while there is one,
 * the others mostly one that a load has filled. */
static unsigned
invent_register(Prng *prng, AxiomsOperation operation, unsigned *loads)
{
    if (operation == AXIOMS_LOAD && *loads < AXIOMS_REGISTERS)
        return REGISTERS_BY_USE[(*loads)++];
    if (*loads > 0 && prng_chance(prng, 3, 4))
        return REGISTERS_BY_USE[prng_below(prng, *loads)];
    return REGISTERS_BY_USE[prng_below(prng, AXIOMS_REGISTERS)];
}

static void
invent_program(AxiomsProgram *program, Prng *prng, unsigned length)
{
    unsigned locations = prng_chance(prng, 3, 4) ? 2 : 3;
    int64_t value = 0;

    for (unsigned i = 0; i < program->threads; i++) {
        /* Two instructions show more than one, if they are allowed. */
        unsigned least = MIN(length, 2u);
        unsigned wanted = least +
                          (unsigned)prng_below(prng, length - least + 1);
        /* A walk over the locations: the next access is mostly elsewhere. */
        unsigned at = (unsigned)prng_below(prng, locations);
        unsigned loads = 0;

        program->length[i] = 0;
        while (program->length[i] < wanted) {
            AxiomsInstruction next = {.operation = invent_operation(prng)};

            next.location = 1 + at;
            next.reg = invent_register(prng, next.operation, &loads);
            if (next.operation == AXIOMS_STORE_CONSTANT ||
                next.operation == AXIOMS_SET)
                next.constant = invent_value(prng, &value);
            append(program, i, next);
            if (prng_chance(prng, 3, 4))
                at = (at + 1) % locations;
        }
    }
}

/* Whether a thread touches the location, or writes it. */
static bool
thread_touches(const AxiomsProgram *program, unsigned thread, unsigned location,
               bool to_write)
{
    for (unsigned i = 0; i < program->length[thread]; i++) {
        const AxiomsInstruction *at = &program->code[thread][i];

        if (operation_has_location(at->operation) && at->location == location &&
            !(to_write && at->operation == AXIOMS_LOAD))
            return true;
    }
    return false;
}

/* How many locations some thread writes and another one touches. */
static unsigned
count_shared(const AxiomsProgram *program)
{
    unsigned shared = 0;

    for (unsigned at = 0; at < AXIOMS_LOCATIONS; at++) {
        unsigned touching = 0, writing = 0;

        for (unsigned i = 0; i < program->threads; i++) {
            touching += thread_touches(program, i, at, false);
            writing += thread_touches(program, i, at, true);
        }
        shared += touching >= 2 && writing >= 1;
    }
    return shared;
}

void
axioms_generate(AxiomsProgram *program, Prng *prng, unsigned threads,
                unsigned length)
{
    unsigned tries = 20;

    INVARIANT(threads >= 1 && threads <= AXIOMS_THREADS_MAX);
    INVARIANT(length >= 1 && length <= AXIOMS_LENGTH_MAX);
    memset(program, 0, sizeof *program);
    program->threads = threads;
    /* Orders show only where two locations are shared. */
    do
        invent_program(program, prng, length);
    while (--tries > 0 && count_shared(program) < 2);
}

typedef struct Cycle {
    AxiomsProgram *program;
    Prng *prng;
    int64_t value;
    unsigned loads;   /* of the thread that is being made */
    unsigned last_in; /* register of its last load */
} Cycle;

static void
cycle_add(Cycle *cycle, unsigned thread, AxiomsOperation operation,
          unsigned location)
{
    AxiomsInstruction next = {.operation = operation, .location = location};

    if (operation == AXIOMS_LOAD) {
        next.reg = REGISTERS_BY_USE[cycle->loads++ % AXIOMS_REGISTERS];
        cycle->last_in = next.reg;
    }
    if (operation == AXIOMS_STORE_CONSTANT)
        next.constant = invent_value(cycle->prng, &cycle->value);
    if (operation == AXIOMS_STORE_REGISTER)
        next.reg = cycle->last_in;
    append(cycle->program, thread, next);
}

/* A write or a read, now and then as part of something that is both. */
static void
cycle_access(Cycle *cycle, unsigned thread, bool is_write, unsigned location)
{
    Prng *prng = cycle->prng;
    unsigned reg = REGISTERS_BY_USE[cycle->loads % AXIOMS_REGISTERS];

    if (prng_chance(prng, 5, 6)) {
        cycle_add(cycle, thread, is_write ? AXIOMS_STORE_CONSTANT : AXIOMS_LOAD,
                  location);
        return;
    }
    switch (prng_below(prng, 4)) {
    case 0:
        cycle_add(cycle, thread, AXIOMS_INC, location);
        break;
    case 1:
        cycle_add(cycle, thread, AXIOMS_LOCK_INC, location);
        break;
    case 2:
        append(
            cycle->program, thread,
            (AxiomsInstruction){.operation = AXIOMS_SET,
                                .reg = reg,
                                .constant = invent_value(prng, &cycle->value)});
        append(cycle->program, thread,
               (AxiomsInstruction){
                   .operation = AXIOMS_XCHG, .location = location, .reg = reg});
        cycle->last_in = reg;
        cycle->loads++;
        break;
    case 3:
        append(
            cycle->program, thread,
            (AxiomsInstruction){.operation = AXIOMS_SET,
                                .reg = RBX,
                                .constant = invent_value(prng, &cycle->value)});
        append(cycle->program, thread,
               (AxiomsInstruction){
                   .operation = AXIOMS_CAS, .location = location, .reg = RBX});
        cycle->last_in = RAX;
        break;
    }
}

/* What stands between the two accesses of a thread, the first at `before`. */
static void
cycle_between(Cycle *cycle, unsigned thread, unsigned before)
{
    static const AxiomsOperation fences[] = {AXIOMS_MFENCE, AXIOMS_SFENCE,
                                             AXIOMS_LFENCE};

    switch (prng_below(cycle->prng, 4)) {
    case 0:
    case 1:
        break;
    case 2:
        cycle_add(cycle, thread,
                  fences[prng_below(cycle->prng, G_N_ELEMENTS(fences))], 0);
        break;
    case 3:
        cycle_add(cycle, thread, AXIOMS_LOAD, before);
        break;
    }
}

void
axioms_generate_cycle(AxiomsProgram *program, Prng *prng, unsigned threads)
{
    Cycle cycle = {.program = program, .prng = prng};
    bool source_writes[AXIOMS_THREADS_MAX]; /* of the edge to the next */
    bool target_writes[AXIOMS_THREADS_MAX];

    INVARIANT(threads >= 2 && threads <= AXIOMS_THREADS_MAX);
    memset(program, 0, sizeof *program);
    program->threads = threads;
    for (unsigned i = 0; i < threads; i++) {
        /* Rfe, Fre or Coe; any other pair says nothing about an order. */
        unsigned edge = (unsigned)prng_below(prng, 3);

        source_writes[i] = edge != 1;
        target_writes[i] = edge != 0;
    }
    for (unsigned i = 0; i < threads; i++) {
        unsigned previous = (i + threads - 1) % threads;
        unsigned at = (1 + previous) % AXIOMS_LOCATIONS;
        unsigned to = (1 + i) % AXIOMS_LOCATIONS;
        bool first_writes = target_writes[previous];

        cycle.loads = 0;
        cycle_access(&cycle, i, first_writes, at);
        cycle_between(&cycle, i, at);
        if (!first_writes && source_writes[i] && prng_chance(prng, 1, 4))
            cycle_add(&cycle, i, AXIOMS_STORE_REGISTER, to);
        else
            cycle_access(&cycle, i, source_writes[i], to);
        /* What a Coe edge came to shows only at the end or to a reader. */
        if (source_writes[i] && prng_chance(prng, 1, 8))
            cycle_add(&cycle, i, AXIOMS_LOAD, to);
    }
}

bool
axioms_observes_register(const AxiomsProgram *program, unsigned thread,
                         unsigned reg)
{
    for (unsigned i = 0; i < program->length[thread]; i++) {
        const AxiomsInstruction *at = &program->code[thread][i];

        if (at->operation == AXIOMS_CAS && reg == RAX)
            return true;
        if ((at->operation == AXIOMS_LOAD || at->operation == AXIOMS_XCHG) &&
            at->reg == reg)
            return true;
    }
    return false;
}

bool
axioms_uses_location(const AxiomsProgram *program, unsigned location)
{
    for (unsigned i = 0; i < program->threads; i++) {
        for (unsigned j = 0; j < program->length[i]; j++) {
            const AxiomsInstruction *at = &program->code[i][j];

            if (operation_has_location(at->operation) &&
                at->location == location)
                return true;
        }
    }
    return false;
}

char *
axioms_spell(const AxiomsInstruction *instruction)
{
    const char *location = axioms_location_name(instruction->location);
    const char *reg = axioms_register_name(instruction->reg);
    int64_t constant = instruction->constant;

    switch (instruction->operation) {
    case AXIOMS_STORE_CONSTANT:
        return g_strdup_printf("movq $%" PRId64 ",(%s)", constant, location);
    case AXIOMS_STORE_REGISTER:
        return g_strdup_printf("movq %%%s,(%s)", reg, location);
    case AXIOMS_LOAD:
        return g_strdup_printf("movq (%s),%%%s", location, reg);
    case AXIOMS_SET:
        return g_strdup_printf("movq $%" PRId64 ",%%%s", constant, reg);
    case AXIOMS_MFENCE:
        return g_strdup("mfence");
    case AXIOMS_SFENCE:
        return g_strdup("sfence");
    case AXIOMS_LFENCE:
        return g_strdup("lfence");
    case AXIOMS_XCHG:
        return g_strdup_printf("xchgq %%%s,(%s)", reg, location);
    case AXIOMS_INC:
        return g_strdup_printf("incq (%s)", location);
    case AXIOMS_LOCK_INC:
        return g_strdup_printf("lock incq (%s)", location);
    case AXIOMS_CAS:
        return g_strdup_printf("lock cmpxchgq %%%s,(%s)", reg, location);
    }
    BUG("operation %d", (int)instruction->operation);
}

static void
print_rows(GString *text, const AxiomsProgram *program)
{
    unsigned rows = 0;

    for (unsigned i = 0; i < program->threads; i++) {
        rows = MAX(rows, program->length[i]);
        g_string_append_printf(text, "%s P%u%*s", i ? " |" : "", i, 21, "");
    }
    g_string_append(text, " ;\n");
    for (unsigned row = 0; row < rows; row++) {
        for (unsigned i = 0; i < program->threads; i++) {
            g_autofree char *cell = row < program->length[i]
                                        ? axioms_spell(&program->code[i][row])
                                        : g_strdup("");

            g_string_append_printf(text, "%s %-23s", i ? " |" : "", cell);
        }
        g_string_append(text, " ;\n");
    }
}

char *
axioms_print(const AxiomsProgram *program, const char *name)
{
    GString *text = g_string_new(NULL);
    g_autoptr(GString) condition = g_string_new("true");

    g_string_append_printf(text, "X86_64 %s\n{", name);
    for (unsigned i = 0; i < AXIOMS_LOCATIONS; i++) {
        if (axioms_uses_location(program, i))
            g_string_append_printf(text, " uint64_t %s;", LOCATION_NAMES[i]);
    }
    g_string_append(text, " }\n");
    print_rows(text, program);
    g_string_append(text, "locations [");
    for (unsigned i = 0; i < program->threads; i++) {
        for (unsigned r = 0; r < AXIOMS_REGISTERS; r++) {
            if (!axioms_observes_register(program, i, r))
                continue;
            g_string_append_printf(text, "%u:%s; ", i, REGISTER_NAMES[r]);
            g_string_printf(condition, "%u:%s=0", i, REGISTER_NAMES[r]);
        }
    }
    for (unsigned i = 0; i < AXIOMS_LOCATIONS; i++) {
        if (!axioms_uses_location(program, i))
            continue;
        g_string_append_printf(text, "%s; ", LOCATION_NAMES[i]);
        g_string_printf(condition, "%s=0", LOCATION_NAMES[i]);
    }
    g_string_append_printf(text, "]\nexists (%s)\n", condition->str);
    return g_string_free(text, FALSE);
}

char *
axioms_print_outcome(const AxiomsProgram *program,
                     int64_t registers[AXIOMS_THREADS_MAX][AXIOMS_REGISTERS],
                     const int64_t memory[AXIOMS_LOCATIONS])
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < program->threads; i++) {
        for (unsigned r = 0; r < AXIOMS_REGISTERS; r++) {
            if (axioms_observes_register(program, i, r))
                g_string_append_printf(text, "%s%u:%s=%" PRId64 ";",
                                       text->len ? " " : "", i,
                                       REGISTER_NAMES[r], registers[i][r]);
        }
    }
    for (unsigned i = 0; i < AXIOMS_LOCATIONS; i++) {
        if (axioms_uses_location(program, i))
            g_string_append_printf(text, "%s%s=%" PRId64 ";",
                                   text->len ? " " : "", LOCATION_NAMES[i],
                                   memory[i]);
    }
    return g_string_free(text, FALSE);
}
