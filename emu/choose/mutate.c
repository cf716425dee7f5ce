/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/mutate.h"

/* Turns that one change leaves out, doubles or moves at most, and how far. */
#define BLOCK_MAX 8u
#define MOVE_MAX 16u

/* Steps of a slice that is made up: 1 to 2^9, small ones as likely as large
 * ones. */
#define STEPS_BITS_MAX 9u

/* Turns that are left to chance: up to 2^2, ..., 2^8 of them. */
#define FORGET_BITS 7u

/* A part of a tape, by decisions. */
typedef struct Span {
    size_t begin, end;
} Span;

/* --- Pieces --------------------------------------------------------------- */

static size_t
turn_at_or_after(const Tape *tape, size_t at)
{
    while (at < tape->count && tape->items[at].kind != DECISION_ACTION)
        at++;
    return at;
}

static size_t
turns_from(const Tape *tape, size_t at, unsigned count)
{
    for (; count > 0 && at < tape->count; count--)
        at = turn_at_or_after(tape, at + 1);
    return at;
}

/* Some turn, or tape->count if there is none. */
static size_t
some_turn(const Tape *tape, Prng *prng)
{
    size_t first = turn_at_or_after(tape, 0);
    size_t at;

    if (first == tape->count)
        return first;
    at = first + prng_below(prng, tape->count - first);
    while (tape->items[at].kind != DECISION_ACTION)
        at--;
    return at;
}

static void
replace(Tape *tape, Span old, const Decision *with, size_t count)
{
    g_autofree Decision *copy = g_memdup2(with, count * sizeof *with);
    size_t rest = tape->count - old.end;
    size_t length = old.begin + count + rest;

    while (tape->capacity < length) {
        tape->capacity = MAX(2 * tape->capacity, 256);
        tape->items = g_renew(Decision, tape->items, tape->capacity);
    }
    if (rest > 0)
        memmove(&tape->items[old.begin + count], &tape->items[old.end],
                rest * sizeof *with);
    if (count > 0)
        memcpy(&tape->items[old.begin], copy, count * sizeof *with);
    tape->count = length;
}

/* --- Made up -------------------------------------------------------------- */

static uint64_t
some_steps(Prng *prng)
{
    uint64_t most = UINT64_C(1) << prng_below(prng, STEPS_BITS_MAX + 1);

    return prng_below(prng, most);
}

/* Steps are what most turns are. */
static uint64_t
some_wish(unsigned cpus, Prng *prng)
{
    static const ActionKind kinds[] = {ACTION_STEP, ACTION_STEP, ACTION_STEP,
                                       ACTION_STEP, ACTION_DRAIN,
                                       ACTION_DELIVER, ACTION_DELIVER,
                                       ACTION_FIRE};

    return mutate_wish(kinds[prng_below(prng, G_N_ELEMENTS(kinds))],
                       (unsigned)prng_below(prng, cpus), 0);
}

/* Returns how many decisions it is. */
static unsigned
some_new_turn(Decision out[3], unsigned cpus, Prng *prng)
{
    uint64_t wish = some_wish(cpus, prng);

    out[0] = (Decision){.kind = DECISION_ACTION, .value = wish};
    switch (mutate_wish_kind(wish)) {
    case ACTION_STEP:
        out[1] = (Decision){.kind = DECISION_STEPS,
                            .value = some_steps(prng)};
        return 2;
    case ACTION_DRAIN:
        out[1] = (Decision){.kind = DECISION_STORE,
                            .value = prng_below(prng, 4)};
        out[2] = (Decision){.kind = DECISION_DRAINS,
                            .value = prng_below(prng, 4)};
        return 3;
    default:
        return 1;
    }
}

/* --- The changes ---------------------------------------------------------- */

static void
change_steps(Decision *steps, Prng *prng)
{
    switch (prng_below(prng, 5)) {
    case 0:
        steps->value = some_steps(prng);
        return;
    case 1:
        steps->value = MIN(2 * steps->value + 1, UINT32_MAX);
        return;
    case 2:
        steps->value /= 2;
        return;
    case 3:
        steps->value += 1 + prng_below(prng, 8);
        return;
    default:
        steps->value -= MIN(steps->value, 1 + prng_below(prng, 8));
        return;
    }
}

/* What is beside the action: steps, which store, how many, how late. */
static bool
change_amount(Tape *tape, size_t at, Prng *prng)
{
    size_t end = turns_from(tape, at, 1);
    Decision *one;

    if (end - at < 2)
        return false;
    one = &tape->items[at + 1 + prng_below(prng, end - at - 1)];
    if (one->kind == DECISION_STEPS)
        change_steps(one, prng);
    else
        one->value = prng_below(prng, 4);
    return true;
}

static bool
change_action(Tape *tape, size_t at, unsigned cpus, Prng *prng)
{
    uint64_t *wish = &tape->items[at].value;

    if (prng_below(prng, 2) == 0)
        *wish = some_wish(cpus, prng);
    else
        *wish = mutate_wish(mutate_wish_kind(*wish),
                            (unsigned)prng_below(prng, cpus),
                            (unsigned)prng_below(prng, 2));
    return true;
}

/* A preemption: the slice in two, something else between. */
static bool
split(Tape *tape, size_t at, unsigned cpus, Prng *prng)
{
    Decision made[6], *steps = &tape->items[at + 1];
    uint64_t first;
    unsigned count = 2;

    if (turns_from(tape, at, 1) - at < 2 || steps->kind != DECISION_STEPS ||
        steps->value == 0)
        return false;
    first = prng_below(prng, MIN(steps->value, UINT32_MAX));
    made[0] = tape->items[at];
    made[1] = (Decision){.kind = DECISION_STEPS, .value = first};
    count += some_new_turn(made + count, cpus, prng);
    steps->value -= first + 1;
    replace(tape, (Span){at, at}, made, count);
    return true;
}

static bool
insert(Tape *tape, size_t at, unsigned cpus, Prng *prng)
{
    Decision made[3];
    unsigned count = some_new_turn(made, cpus, prng);

    replace(tape, (Span){at, at}, made, count);
    return true;
}

static size_t
end_of_block(const Tape *tape, size_t at, Prng *prng)
{
    return turns_from(tape, at, 1 + (unsigned)prng_below(prng, BLOCK_MAX));
}

static bool
leave_out(Tape *tape, size_t at, Prng *prng)
{
    replace(tape, (Span){at, end_of_block(tape, at, prng)}, NULL, 0);
    return true;
}

static bool
double_block(Tape *tape, size_t at, Prng *prng)
{
    size_t end = end_of_block(tape, at, prng);

    replace(tape, (Span){end, end}, &tape->items[at], end - at);
    return true;
}

/* A turn later, behind some others. */
static bool
move(Tape *tape, size_t at, Prng *prng)
{
    size_t end = turns_from(tape, at, 1);
    size_t to = turns_from(tape, end, 1 + (unsigned)prng_below(prng,
                                                               MOVE_MAX));

    if (to == end)
        return false;
    replace(tape, (Span){to, to}, &tape->items[at], end - at);
    replace(tape, (Span){at, end}, NULL, 0);
    return true;
}

static bool
change_value(Tape *tape, Prng *prng)
{
    size_t values = 0;

    while (values < tape->count && tape->items[values].kind == DECISION_VALUE)
        values++;
    if (values == 0)
        return false;
    tape->items[prng_below(prng, values)].value = prng_below(prng, UINT32_MAX);
    return true;
}

/* The end of the other tape instead of the own; about as much of it is gone,
 * or anything. */
static bool
splice(Tape *tape, size_t at, const Tape *other, Prng *prng)
{
    size_t from;

    if (other == NULL || other->count == 0)
        return false;
    if (prng_below(prng, 2) == 0)
        from = turn_at_or_after(other, MIN(at, other->count));
    else
        from = some_turn(other, prng);
    replace(tape, (Span){at, tape->count}, other->items + from,
            other->count - from);
    return true;
}

/* Some turns in a row are left to chance: few, or most of the run. */
static bool
forget(Tape *tape, size_t at, Prng *prng)
{
    unsigned most = 1u << (2 + prng_below(prng, FORGET_BITS));
    unsigned count = 1 + (unsigned)prng_below(prng, most);
    g_autofree Decision *any = g_new(Decision, count);
    size_t end = turns_from(tape, at, count);

    for (unsigned i = 0; i < count; i++)
        any[i] = (Decision){.kind = DECISION_ACTION, .value = MUTATE_ANY};
    replace(tape, (Span){at, end}, any, count);
    return true;
}

/* The changes; how often each is listed is how often it is made. */
typedef enum Change {
    CHANGE_VALUE,
    CHANGE_CUT,
    CHANGE_SPLICE,
    CHANGE_AMOUNT,
    CHANGE_ACTION,
    CHANGE_SPLIT,
    CHANGE_INSERT,
    CHANGE_LEAVE_OUT,
    CHANGE_DOUBLE,
    CHANGE_MOVE,
    CHANGE_FORGET,
} Change;

static const Change changes[] = {
    CHANGE_VALUE,     CHANGE_CUT,    CHANGE_CUT,    CHANGE_SPLICE,
    CHANGE_SPLICE,    CHANGE_AMOUNT, CHANGE_AMOUNT, CHANGE_ACTION,
    CHANGE_SPLIT,     CHANGE_SPLIT,  CHANGE_SPLIT,  CHANGE_INSERT,
    CHANGE_LEAVE_OUT, CHANGE_LEAVE_OUT, CHANGE_DOUBLE, CHANGE_MOVE,
    CHANGE_FORGET,    CHANGE_FORGET, CHANGE_FORGET, CHANGE_FORGET,
};

bool
mutate_tape(Tape *tape, const Tape *other, unsigned cpus, Prng *prng)
{
    size_t at = some_turn(tape, prng);
    Change change = changes[prng_below(prng, G_N_ELEMENTS(changes))];

    if (at == tape->count)
        change = CHANGE_VALUE;
    switch (change) {
    case CHANGE_VALUE:
        return change_value(tape, prng);
    case CHANGE_CUT:
        tape->count = at; /* and go on at random */
        return true;
    case CHANGE_SPLICE:
        return splice(tape, at, other, prng);
    case CHANGE_AMOUNT:
        return change_amount(tape, at, prng);
    case CHANGE_ACTION:
        return change_action(tape, at, cpus, prng);
    case CHANGE_SPLIT:
        return split(tape, at, cpus, prng);
    case CHANGE_INSERT:
        return insert(tape, at, cpus, prng);
    case CHANGE_LEAVE_OUT:
        return leave_out(tape, at, prng);
    case CHANGE_DOUBLE:
        return double_block(tape, at, prng);
    case CHANGE_MOVE:
        return move(tape, at, prng);
    case CHANGE_FORGET:
        return forget(tape, at, prng);
    }
    return false;
}
