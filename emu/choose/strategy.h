/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strategy -- how decisions are taken: an interface.
 *
 * A strategy is asked through the one door, choice.h, and nowhere else.  It
 * may look at what it is asked and told, and at what it keeps itself; it sees
 * no host state.  One strategy a file, one row each in the table of
 * strategy.c.
 *
 *      begin ─▶ ( pick, steps, store, drains, late, value     asked
 *                 before: stop at this instruction?           asked
 *                 performed: that was done )* ─▶ ended        told
 *
 * As text, a strategy is its name and the parameters that are not at their
 * default: "pct,depth=2".  That text is what --strategy and `explore` take,
 * and what traces keep.
 *
 * Layer 5.
 */
#ifndef EMU_CHOOSE_STRATEGY_H
#define EMU_CHOOSE_STRATEGY_H

#include "base/base.h"
#include "choose/census.h"
#include "choose/tape.h"
#include "machine/action.h"
#include "machine/machine.h"
#include "watch/coverage.h"

typedef struct Strategy Strategy;
struct RunResult; /* run.h */

/* What a strategy knows before a run; the same for all runs of a case. */
typedef struct StrategyScope {
    unsigned cpus;
    uint64_t steps_max;   /* of a run; 0: not known */
    const Census *census; /* what the cores share; NULL: nobody looked.
                             Outlives the run */
    Coverage *coverage;   /* what the run shows of itself, for those who want
                             it; it is complete when ended() is called */
    const gva_t *aims;    /* instructions that somebody suspects ... */
    unsigned aim_count;   /* ... so many: what nears() is asked about */
    bool played;          /* a tape decides, and the strategy only what is
                             beyond its end */
    Machine *machine;     /* for looking at; NULL: nobody may */
    /* Add all that the rest of the run depends on, beside the strategy itself:
     * machine, stories, claims.  False if that is not possible now.  NULL: it
     * never is. */
    bool (*digest)(void *user, Digest *digest);
    void *user;
} StrategyScope;

/* How far a search is. */
typedef struct StrategyProgress {
    const char *bounds;    /* "2 preemptions, 1 delayed store"; borrowed */
    bool complete;         /* all runs within the bounds were made, or were
                              found to go on as others did */
    const char *why_not;   /* if it is over and not complete; or NULL */
    uint64_t runs;         /* that came to a verdict */
    uint64_t cuts;         /* that ended in a state that was known */
    uint64_t expected;     /* runs and cuts in all, a guess */
    unsigned pass, passes; /* deviations allowed now, and at last */
    uint64_t restarts;     /* because memory was shared that had not been */
} StrategyProgress;

/* An action was performed. */
typedef struct StrategyDeed {
    const Action *action;
    uint64_t steps; /* that a STEP made; 0 of the others */
    uint64_t line;  /* of the first store that a DRAIN made visible */
    CpuStop stop;
    bool paused;    /* the core executed PAUSE: it waits for somebody */
    bool stood;     /* it stands where before() wanted it to stop */
} StrategyDeed;

/*
 * A strategy that does not draw runs but makes all of them, each once.  Runs
 * that are not played come one after the other; their seeds do not matter.
 */
typedef struct StrategySearch {
    /* Is there no run that was not made? */
    bool (*is_over)(const Strategy *strategy);
    /* How far it is. */
    void (*progress)(const Strategy *strategy, StrategyProgress *progress);
    /* All that is needed to go on later, as text; the caller frees it.  And go
     * on from there, on the same machine: false with an error if the text is
     * damaged, or belongs to other parameters. */
    char *(*print)(const Strategy *strategy);
    bool (*parse)(Strategy *strategy, const char *text, GError **error);
    /* Make only part `shard` of `shards`; before the first run. */
    void (*take_shard)(Strategy *strategy, unsigned shard, unsigned shards);
} StrategySearch;

/*
 * Of a strategy that learns from its runs: a run depends on those before it,
 * so a seed alone does not make it again, only its tape does.  A sequence of
 * seeds from the same memory is the same sequence of runs.
 */
typedef struct StrategyMemory {
    /* All that it remembers, the same bytes for the same memory. */
    GBytes *(*save)(const Strategy *strategy);
    /* Remember what save() gave, and nothing else; on failure, nothing
     * changes. */
    bool (*load)(Strategy *strategy, GBytes *bytes, GError **error);
    /* Remember also what another one does, a worker's for instance.  Joining
     * the same again changes nothing. */
    bool (*join)(Strategy *strategy, GBytes *bytes, GError **error);
    /* How many points of coverage.h its runs have hit. */
    uint64_t (*reached)(const Strategy *strategy);
} StrategyMemory;

struct Strategy {
    char *text;         /* name and parameters; strategy_parse() fills it */
    bool wants_census;  /* begin wants scope->census */
    bool wants_coverage; /* ... and scope->coverage, of the shared lines */
    bool attentive;     /* before() is to be asked; may change at any time */
    const StrategyMemory *memory; /* NULL: it remembers nothing of the runs
                           before, and a seed is a run */
    /* A new run: everything that follows depends on `seed`, `scope` and what
     * the strategy is told only. */
    void (*begin)(Strategy *strategy, uint64_t seed,
                  const StrategyScope *scope);
    /* Which of the actions; there are at least two. */
    unsigned (*pick)(Strategy *strategy, const Actions *actions);
    /* For how many steps core `cpu` goes on at most, at least 1. */
    uint64_t (*steps)(Strategy *strategy, unsigned cpu);
    /* Which of `drainable` buffered stores, at least 2, becomes visible; 0 is
     * the oldest. */
    unsigned (*store)(Strategy *strategy, unsigned drainable);
    /* How many of `buffered` stores, at least 2, become visible at most: at
     * least 1. */
    unsigned (*drains)(Strategy *strategy, unsigned buffered);
    /* Which of `count` values a load gives, at least 2; 0 is the newest. */
    unsigned (*late)(Strategy *strategy, unsigned count);
    /* A number below `bound`, which is at least 2, for a story. */
    uint64_t (*value)(Strategy *strategy, uint64_t bound);

    /* The rest may be NULL. */

    /*
     * A core stands before an instruction that is about to touch a shared
     * line (census.h).  True: the slice ends here, and the instruction is not
     * done; false: the core goes on.  Asked once each time that the core comes
     * there, also about its first instruction of a slice.
     */
    bool (*before)(Strategy *strategy, const CensusEvent *event);
    /* A core stands before one of scope->aims: as before(), but asked whether
     * or not it touches a shared line. */
    bool (*nears)(Strategy *strategy, unsigned cpu, gva_t rip);
    /* Told of every action, those of a tape that is played included. */
    void (*performed)(Strategy *strategy, const StrategyDeed *deed);
    /* A core is about to access [physical, physical + access->size) of
     * watched memory; of a strategy with `search`, all memory is, and calls,
     * interrupts and returns are told too.  True: the slice ends behind the
     * instruction. */
    bool (*touched)(Strategy *strategy, unsigned cpu, gpa_t physical,
                    const InsnAccess *access);
    /* A core stands at a point that some claim speaks of.  True: the slice
     * ends before the instruction. */
    bool (*stands)(Strategy *strategy, unsigned cpu);
    /* A core has taken an interrupt or exception (`insn` is NULL, `vector`
     * says which), or calls or returns. */
    void (*flowed)(Strategy *strategy, unsigned cpu, const Insn *insn,
                   unsigned vector);
    /* Asked after pick(): shall the run end here, without a verdict? */
    bool (*cuts)(const Strategy *strategy);
    /* The run is over; `tape` is what was decided in it. */
    void (*ended)(Strategy *strategy, const struct RunResult *result,
                  const Tape *tape);
    /* What its guarantee comes to for this case, in a sentence; the caller
     * frees it.  NULL: nothing to add. */
    char *(*promise)(const Strategy *strategy, const StrategyScope *scope);
    /* NULL: the strategy is one piece of memory, and g_free() is enough. */
    void (*free)(Strategy *strategy);

    const StrategySearch *search; /* it makes all runs of some kind; or NULL */
};

/* --- The table ------------------------------------------------------------ */

/* A parameter, a whole number: NAME=N. */
typedef struct StrategyParameter {
    const char *name; /* NULL: there is none here */
    const char *what; /* one line */
    uint64_t min, max, fallback;
} StrategyParameter;

#define STRATEGY_PARAMETERS_MAX 4

/* A strategy for those who choose one. */
typedef struct StrategyKind {
    const char *name;
    const char *what;      /* one line */
    const char *guarantee; /* what it promises, and when: a few lines */
    const char *source;    /* the paper */
    StrategyParameter parameters[STRATEGY_PARAMETERS_MAX];
    /* `values`: of the parameters, in their order. */
    Strategy *(*make)(const uint64_t *values);
} StrategyKind;

extern const StrategyKind strategy_round_robin_kind;
extern const StrategyKind strategy_aimed_kind;
extern const StrategyKind strategy_random_kind;
extern const StrategyKind schedule_play_kind;
extern const StrategyKind strategy_pct_kind;
extern const StrategyKind strategy_pos_kind;
extern const StrategyKind strategy_surw_kind;
extern const StrategyKind strategy_bounded_kind;
extern const StrategyKind strategy_urw_kind;
extern const StrategyKind strategy_fuzz_kind;

/* All strategies, in the order in which help shows them. */
const StrategyKind *const *strategy_kinds(unsigned *count);

/* "random, round-robin", for messages; the caller frees it. */
char *strategy_names(void);

/* All of them with what they promise, for --help; the caller frees it. */
char *strategy_describe(void);

#define STRATEGY_ERROR strategy_error_quark()
GQuark strategy_error_quark(void);
typedef enum StrategyError { STRATEGY_ERROR_TEXT } StrategyError;

/* The strategy that `text` says, with `text` in its shortest form; NULL with
 * an error that lists what there is.  Free it with strategy_free(). */
Strategy *strategy_parse(const char *text, GError **error);
void strategy_free(Strategy *strategy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Strategy, strategy_free)

/* --- For tests and benchmarks --------------------------------------------- */

/* Cores in turn, a fixed number of steps each; messages, timers and stores
 * arrive as soon as they can, and no load is late.  The same whatever the
 * seed. */
Strategy *strategy_round_robin_new(void);

/*
 * Every action is equally likely, and a core goes on for a random number of
 * steps whose mean is drawn once for each run, from 8 to 512: switches in the
 * middle of three instructions and long undisturbed stretches are both met.
 * `mean_steps` fixes the mean instead, if it is not 0.  In some runs stores
 * linger: a drain is taken a quarter as often.  One drain makes all stores
 * visible or a few of them, and a load that could be late is so half of the
 * time.
 */
Strategy *strategy_random_new(uint64_t mean_steps);

#endif
