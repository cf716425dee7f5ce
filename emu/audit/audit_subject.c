/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "audit/audit_subject.h"

/* Runs of a case as it is, under each model, and after how many steps it makes
 * no more. */
#define BASELINE_RUNS 200u
#define BASELINE_STEPS 4000000u

/* A place is missed if so many runs break a claim, the last of them not long
 * after the first ... */
#define HITS_WANTED 3u
#define PATIENCE_FACTOR 8u
#define PATIENCE_LEAST 100u
/* ... and none of so many times the runs does with the place left whole. */
#define CLEAN_FACTOR 4u
#define CLEAN_LEAST 200u

/* Where stores may overtake each other, a small buffer meets more of it: the
 * order in which they leave a large one is nearly always that of a fence. */
#define DEPTH_RELAXED 4u

/* What is weakened can make a run endless in ways that nobody can prove: it is
 * given up after so many times the steps of the longest whole one. */
#define STEPS_FACTOR 4u
#define STEPS_LEAST 20000u

static void
clear_target(void *data)
{
    AuditTarget *target = data;

    g_free(target->weaken);
}

AuditSubject *
audit_subject_new(Check *check, const ScenarioCase *item,
                  const TrialOptions *options)
{
    AuditSubject *subject = g_new0(AuditSubject, 1);

    subject->check = check;
    subject->item = item;
    subject->options = options;
    subject->targets = g_array_new(FALSE, TRUE, sizeof(AuditTarget));
    g_array_set_clear_func(subject->targets, clear_target);
    subject->addresses = g_array_new(FALSE, TRUE, sizeof(AuditAddress));
    return subject;
}

void
audit_subject_free(AuditSubject *subject)
{
    g_array_unref(subject->targets);
    g_array_unref(subject->addresses);
    g_free(subject);
}

AuditTarget *
audit_subject_target(const AuditSubject *subject, unsigned number)
{
    return &g_array_index(subject->targets, AuditTarget, number);
}

void
audit_subject_add(AuditSubject *subject, const Weakening *found, unsigned item)
{
    AuditAddress address = {.address = found->address};

    while (address.target < subject->targets->len &&
           audit_subject_target(subject, address.target)->item != item)
        address.target++;
    if (address.target == subject->targets->len) {
        AuditTarget target = {.weaken = g_strdup(found->name), .item = item};

        g_array_append_val(subject->targets, target);
    } else {
        AuditTarget *known = audit_subject_target(subject, address.target);
        char *all = g_strdup_printf("%s,%s", known->weaken, found->name);

        g_free(known->weaken);
        known->weaken = all;
    }
    g_array_append_val(subject->addresses, address);
}

void
audit_subject_pair(AuditSubject *subject, unsigned one, unsigned other,
                   unsigned item)
{
    const AuditTarget *a = audit_subject_target(subject, one);
    const AuditTarget *b = audit_subject_target(subject, other);
    AuditTarget both = {
        .weaken = g_strdup_printf("%s,%s", a->weaken, b->weaken),
        .is_pair = true,
        .single = {one, other},
        .item = item,
        .executed = MIN(a->executed, b->executed),
    };

    g_array_append_val(subject->targets, both);
}

MemoryOptions
audit_memory(MemoryModel model)
{
    bool relaxed = model >= MEMORY_PSO;

    return (MemoryOptions){
        .model = model,
        .barriers = relaxed ? MEMORY_BARRIERS_SOURCE
                            : MEMORY_BARRIERS_COMPILED,
        .depth = relaxed ? DEPTH_RELAXED : MEMORY_DEPTH_DEFAULT,
    };
}

/* --- Trials --------------------------------------------------------------- */

/* A trial with all that it points to. */
typedef struct Attempt {
    AuditSubject *subject;
    TrialOptions options;
    MemoryOptions memory;
    Trial trial;
} Attempt;

/* A claim that speaks of the budget is about the one that the case has. */
static bool
speaks_of_budget(const ScenarioCase *item)
{
    for (guint i = 0; i < item->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(item->claims, i);

        if (predicate_mentions(claim->predicate, PREDICATE_BUDGET))
            return true;
    }
    return false;
}

static uint64_t
steps_max(const AuditSubject *subject, MemoryModel model)
{
    uint64_t own = subject->item->budget.steps_max != 0
                       ? subject->item->budget.steps_max
                       : RUN_STEPS_MAX_DEFAULT;
    uint64_t longest = subject->baseline[model].longest;

    if (subject->options->steps_max != 0)
        return subject->options->steps_max;
    return longest == 0 || speaks_of_budget(subject->item)
               ? own
               : MIN(own, MAX(STEPS_FACTOR * longest, STEPS_LEAST));
}

static void
init(Attempt *attempt, AuditSubject *subject, MemoryModel model)
{
    attempt->subject = subject;
    attempt->options = *subject->options;
    attempt->memory = audit_memory(model);
    attempt->options.memory = &attempt->memory;
    attempt->options.steps_max = steps_max(subject, model);
}

/* The same, with this taken away. */
static void
init_weakened(Attempt *attempt, AuditSubject *subject, MemoryModel model,
              const char *weaken)
{
    init(attempt, subject, model);
    attempt->options.weaken = weaken;
    if (attempt->options.strategy == NULL)
        attempt->options.strategy = "aimed";
}

/* trial_clear() also after a failure. */
static bool
begin(Attempt *attempt, GError **error)
{
    return check_prepare_with(attempt->subject->check, attempt->subject->item,
                              &attempt->options, &attempt->trial, error);
}

/* Make one run: *broken gets a bit for each claim that it breaks.  A run that
 * came to no end says nothing; nor does one that a story ended by an assert of
 * its own, which may well fail under another model or without a barrier. */
static void
run_once(Attempt *attempt, uint64_t seed, uint64_t *broken, RunRecord *record)
{
    Trial *trial = &attempt->trial;

    *broken = 0;
    if (!trial_run(trial, seed, NULL, record, NULL)) {
        *record = (RunRecord){.verdict.kind = VERDICT_BUDGET};
        return;
    }
    for (guint i = 0; i < MIN(trial->claims->len, AUDIT_CLAIMS_MAX); i++) {
        const Claim *claim = g_ptr_array_index(trial->claims, i);
        bool occurred = probe_occurred(trial->probe, i);

        if ((claim->quantifier == CLAIM_NEVER && occurred) ||
            (claim->quantifier == CLAIM_CERTAIN && !occurred))
            *broken |= UINT64_C(1) << i;
    }
    if (record->verdict.kind == VERDICT_BUDGET)
        *broken &= -(uint64_t)speaks_of_budget(trial->item);
}

/* --- As it is ------------------------------------------------------------- */

/* Number of the first that is not below. */
static guint
find_address(const GArray *addresses, gva_t address)
{
    guint low = 0, high = addresses->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (g_array_index(addresses, AuditAddress, middle).address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void
note_executed(void *user, unsigned cpu, gva_t rip)
{
    AuditSubject *subject = user;
    const GArray *addresses = subject->addresses;

    (void)cpu;
    for (guint i = find_address(addresses, rip); i < addresses->len; i++) {
        const AuditAddress *at = &g_array_index(addresses, AuditAddress, i);

        if (at->address != rip)
            return;
        audit_subject_target(subject, at->target)->executed++;
    }
}

static void
watch_targets(AuditSubject *subject, Trial *trial)
{
    RunObserver observer = {.point = note_executed, .user = subject};

    for (guint i = 0; i < subject->addresses->len; i++)
        code_mark(machine_code(trial->stage->machine),
                  g_array_index(subject->addresses, AuditAddress, i).address,
                  CODE_POINT);
    run_observe(trial->run, &observer);
}

/* The claims that a run can break. */
static uint64_t
breakable(const Trial *trial)
{
    uint64_t claims = 0;

    for (guint i = 0; i < MIN(trial->claims->len, AUDIT_CLAIMS_MAX); i++) {
        const Claim *claim = g_ptr_array_index(trial->claims, i);

        if (claim->quantifier == CLAIM_NEVER ||
            claim->quantifier == CLAIM_CERTAIN)
            claims |= UINT64_C(1) << i;
    }
    return claims;
}

static bool
look(AuditSubject *subject, MemoryModel model, GError **error)
{
    AuditBaseline *baseline = &subject->baseline[model];
    Attempt attempt;
    bool ok;

    *baseline = (AuditBaseline){0};
    init(&attempt, subject, model);
    ok = begin(&attempt, error);
    if (ok) {
        watch_targets(subject, &attempt.trial);
        baseline->holds = breakable(&attempt.trial);
    }
    while (ok && baseline->runs < BASELINE_RUNS &&
           baseline->steps < BASELINE_STEPS) {
        RunRecord record = {0};
        uint64_t broken;

        run_once(&attempt, subject->options->first_seed + baseline->runs,
                 &broken, &record);
        if (record.verdict.kind != VERDICT_BUDGET)
            baseline->longest = MAX(baseline->longest, record.steps);
        baseline->holds &= ~broken;
        baseline->steps += record.steps;
        baseline->runs++;
    }
    trial_clear(&attempt.trial);
    return ok;
}

void
audit_subject_strike(AuditSubject *subject, MemoryModel model, uint64_t claims)
{
    for (unsigned i = model; i < MEMORY_MODELS; i++)
        subject->baseline[i].holds &= ~claims;
}

/* What happens under a model may happen under the weaker ones, though not
 * always with their smaller buffers. */
bool
audit_subject_look(AuditSubject *subject, GError **error)
{
    for (unsigned model = 0; model < MEMORY_MODELS; model++)
        if (!look(subject, (MemoryModel)model, error))
            return false;
    for (unsigned model = 0; model < MEMORY_MODELS; model++)
        audit_subject_strike(subject, (MemoryModel)model,
                             ~subject->baseline[model].holds);
    return true;
}

/* --- With something taken away -------------------------------------------- */

/* Makes so many runs, or until a claim is broken often enough. */
static void
seek(Attempt *attempt, uint64_t first, uint64_t runs, AuditAnswer *answer)
{
    uint64_t holds = attempt->subject->baseline[attempt->memory.model].holds;
    uint64_t last = runs;
    unsigned hits = 0;

    for (uint64_t i = 0; i < last && hits < HITS_WANTED; i++) {
        RunRecord record;
        uint64_t broken;

        run_once(attempt, first + i, &broken, &record);
        answer->runs++;
        broken &= holds;
        if (broken == 0)
            continue;
        if (hits == 0) {
            answer->seed = first + i;
            answer->claim = (uint32_t)__builtin_ctzll(broken);
            last = MAX(last, PATIENCE_FACTOR * i + PATIENCE_LEAST);
        }
        hits += (unsigned)(broken >> answer->claim & 1);
    }
    answer->missed = hits == HITS_WANTED;
}

/* Is the answer's claim broken as well with `weaken` taken away, or left whole
 * and aimed at?  Then nothing is missed. */
static bool
cross_check(Attempt *attempt, AuditAnswer *answer, GError **error)
{
    uint64_t runs = MAX(CLEAN_FACTOR * answer->runs, CLEAN_LEAST);
    uint64_t bit = UINT64_C(1) << answer->claim;
    uint64_t first = attempt->options.first_seed;
    bool ok = begin(attempt, error);

    for (uint64_t i = 0; ok && answer->missed && i < runs; i++) {
        RunRecord record;
        uint64_t broken;

        run_once(attempt, first + i, &broken, &record);
        answer->missed = !(broken & bit);
    }
    if (attempt->options.only_aims && !answer->missed)
        answer->struck |= bit;
    trial_clear(&attempt->trial);
    return ok;
}

/* With what the attempt has taken away, and if a claim breaks with it whole. */
static bool
try(Attempt *attempt, uint64_t first, uint64_t runs, AuditAnswer *answer,
    GError **error)
{
    bool ok = begin(attempt, error);

    *answer = (AuditAnswer){0};
    if (ok)
        seek(attempt, first, runs, answer);
    trial_clear(&attempt->trial);
    if (ok && answer->missed) {
        attempt->options.only_aims = true;
        ok = cross_check(attempt, answer, error);
        attempt->options.only_aims = false;
    }
    return ok;
}

bool
audit_subject_try_all(AuditSubject *subject, MemoryModel model,
                      const GArray *targets, uint64_t runs,
                      AuditAnswer *answer, GError **error)
{
    g_autoptr(GString) weaken = g_string_new(NULL);
    Attempt attempt;

    for (guint i = 0; i < targets->len; i++)
        g_string_append_printf(
            weaken, "%s%s", i == 0 ? "" : ",",
            audit_subject_target(subject, g_array_index(targets, unsigned, i))
                ->weaken);
    init_weakened(&attempt, subject, model, weaken->str);
    return try(&attempt, attempt.options.first_seed, runs, answer, error);
}

bool
audit_subject_try(AuditSubject *subject, const AuditQuestion *question,
                  AuditAnswer *answer, GError **error)
{
    const AuditTarget *target =
        audit_subject_target(subject, question->target);
    Attempt attempt;
    bool ok;

    init_weakened(&attempt, subject, question->model, target->weaken);
    ok = try(&attempt,
             attempt.options.first_seed + target->tried[question->model],
             question->runs, answer, error);
    for (unsigned i = 0; target->is_pair && i < 2; i++)
        if (ok && answer->missed) {
            attempt.options.weaken =
                audit_subject_target(subject, target->single[i])->weaken;
            ok = cross_check(&attempt, answer, error);
        }
    return ok;
}

Finding *
audit_subject_tell(AuditSubject *subject, const AuditQuestion *question,
                   const AuditAnswer *answer, char **claim, GError **error)
{
    Finding *finding = NULL;
    Attempt attempt;

    init_weakened(&attempt, subject, question->model,
                  audit_subject_target(subject, question->target)->weaken);
    /* Its run came to an end, so it needs no --steps; but a census does. */
    if (subject->options->strategy == NULL)
        attempt.options.steps_max = subject->options->steps_max;
    if (begin(&attempt, error)) {
        TrialTold told = {
            .claim = g_ptr_array_index(attempt.trial.claims, answer->claim)};

        *claim = claim_print(told.claim);
        finding = trial_tell(&attempt.trial, &told, answer->seed, NULL,
                             error);
    }
    trial_clear(&attempt.trial);
    return finding;
}
