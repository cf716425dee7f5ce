/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * choice -- the one door of nondeterminism, and its tape.
 *
 *      run ── choice_action() ──▶ ┌ Choice ┐ ──▶ Strategy   recording
 *             choice_steps()      │  tape  │
 *             choice_drain()...   └────────┘ ◀── Tape       playing
 *             choice_perform()       told of what was done
 *
 * Whatever could go two ways in a run goes through here, is answered by the
 * strategy or, when playing, by a tape, and is written down.  A decision with
 * only one possible answer is not asked, and not written.
 *
 * Invariant: the tape that was written, played on the same machine, gives the
 * same run.
 *
 * Layer 5; owned by whoever runs.
 */
#ifndef EMU_CHOOSE_CHOICE_H
#define EMU_CHOOSE_CHOICE_H

#include "base/base.h"
#include "choose/strategy.h"
#include "choose/tape.h"
#include "machine/machine.h"

typedef struct Choice {
    Strategy *strategy; /* borrowed */
    const Tape *played; /* borrowed; NULL: record */
    size_t at;          /* next decision of `played` */
    bool diverged;      /* the tape did not fit the machine */
    const Census *census; /* borrowed; NULL: none */
    const gva_t *aims;  /* borrowed: as StrategyScope has them */
    unsigned aim_count;
    bool stood;         /* the last action ended where the strategy wanted
                           the core to stop */
    Tape tape;          /* what was decided in this run */
} Choice;

void choice_init(Choice *choice);
void choice_clear(Choice *choice);

/*
 * A new run.  With `played`, decisions come from that tape as long as it
 * lasts and then from the strategy; both must outlive the run.
 */
void choice_begin(Choice *choice, Strategy *strategy, const Tape *played,
                  uint64_t seed, const StrategyScope *scope);

/* Does the strategy decide what comes next, and no tape? */
static inline bool
choice_is_free(const Choice *choice)
{
    return choice->played == NULL || choice->at == choice->played->count;
}

/* Which action of the list, which must not be empty. */
unsigned choice_action(Choice *choice, const Actions *actions);

/* For how many steps core `cpu` may go on, at least 1; `whole` says whether
 * the last is done whole (only a director's are, see Action). */
uint64_t choice_steps(Choice *choice, unsigned cpu, bool *whole);

/* For a DRAIN that was taken: which store becomes visible first, which fills
 * action->number, and how many do at most, at least 1. */
unsigned choice_drain(Choice *choice, Machine *machine, Action *action);

/* Which of `count` values, at least 2, a load gives; 0 is the newest. */
unsigned choice_late(Choice *choice, unsigned count);

/* Does the strategy want core `cpu` to stop before `insn` at `rip`?  From
 * inside a watcher. */
bool choice_stops(Choice *choice, Cpu *cpu, gva_t rip, const Insn *insn);

/* Does it want the core to stop behind the instruction that accesses
 * [physical, physical + access->size), or where it stands?  From inside a
 * watcher. */
bool choice_touches(Choice *choice, unsigned cpu, gpa_t physical,
                    const InsnAccess *access);
bool choice_stands(Choice *choice, unsigned cpu);

/* After choice_action(): does it want the run to end without a verdict? */
static inline bool
choice_cuts(const Choice *choice)
{
    return choice->strategy->cuts != NULL && choice_is_free(choice) &&
           choice->strategy->cuts(choice->strategy);
}

/* machine_perform(), of which the strategy is told. */
CpuStop choice_perform(Choice *choice, Machine *machine, const Action *action,
                       uint64_t steps);

/*
 * A STEP whose decisions begin at number `begun` of the tape, with the number
 * of its steps at `at`, ended at a point of the director or the strategy after
 * `made` steps.  A replay knows no points, so it gets the number that was
 * made, and of none at all it hears nothing.
 */
void choice_correct_steps(Choice *choice, size_t begun, size_t at,
                          uint64_t made);

/* A number below `bound`, at least 1. */
uint64_t choice_value(Choice *choice, uint64_t bound);

/* Write down a decision that a director took instead. */
void choice_record(Choice *choice, DecisionKind kind, uint64_t value);
/* Write down a DRAIN of up to `stores` stores that was commanded, in the way
 * that choice_drain() asks. */
void choice_record_drain(Choice *choice, Machine *machine,
                         const Action *action, uint64_t stores);
/* The played tape has this decision next: take it.  False when recording, or
 * when another kind is next. */
bool choice_played(Choice *choice, DecisionKind kind, uint64_t *value);
/* What the played tape says is impossible: it was made on another machine.
 * The run goes on in some way, so that it ends. */
void choice_diverge(Choice *choice);

#endif
