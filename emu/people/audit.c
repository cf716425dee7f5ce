/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "people/audit.h"

#include "people/check.h"

/* Claims are taken to hold after so many times the runs that try to break
 * them. */
#define BASELINE_FACTOR 3u

/* Where stores may overtake each other, a small buffer meets more of it: the
 * order in which they leave a large one is nearly always that of a fence. */
#define DEPTH_RELAXED 4u

/* What is weakened can make a run endless in ways that nobody can prove: it is
 * given up after so many times the steps of the longest whole one. */
#define STEPS_FACTOR 4u
#define STEPS_LEAST 20000u

/* A place of one case's image. */
typedef struct Place {
    Weakening weakening;
    AuditRow *row;
    bool executed;
} Place;

/* A case that takes part. */
typedef struct Subject {
    Check *check;
    const ScenarioCase *item;
    GArray *places;    /* Place */
    GHashTable *at;    /* address: first Place of it, plus one */
    GArray *holds;     /* bool: of each claim, under the present model */
    uint64_t steps;    /* of the longest run under it that came to an end */
} Subject;

typedef struct Audit {
    const AuditOptions *options;
    GPtrArray *checks;   /* Check */
    GPtrArray *subjects; /* Subject */
    GPtrArray *rows;     /* AuditRow */
    GHashTable *keys;    /* key: row */
    MemoryOptions memory;
    TrialOptions trial;
    char *strategy;      /* of the present trial, if it is not the user's */
} Audit;

static void
row_free(void *data)
{
    AuditRow *row = data;

    g_free(row->key);
    weakening_clear(&row->place);
    g_free(row->source);
    g_free(row->text);
    g_free(row->claim);
    g_free(row->scenario);
    g_free(row->replay);
    g_free(row->trace);
    g_free(row);
}

static void
subject_free(void *data)
{
    Subject *subject = data;

    for (guint i = 0; i < subject->places->len; i++)
        weakening_clear(&g_array_index(subject->places, Place, i).weakening);
    g_array_unref(subject->places);
    g_array_unref(subject->holds);
    g_hash_table_unref(subject->at);
    g_free(subject);
}

static uint64_t
runs_of(const Audit *audit)
{
    return audit->options->runs != 0 ? audit->options->runs
                                     : AUDIT_RUNS_DEFAULT;
}

/* --- Rows ----------------------------------------------------------------- */

/* "lock or" of "lock or dword ptr [rax], ecx". */
static char *
mnemonic(const Weakening *weakening)
{
    const char *end = strchr(weakening->code, ' ');

    if (weakening->kind == WEAKENING_BARRIER)
        return g_strdup("barrier");
    if (end != NULL && g_str_has_prefix(weakening->code, "lock "))
        end = strchr(end + 1, ' ');
    return end != NULL
               ? g_strndup(weakening->code, (gsize)(end - weakening->code))
               : g_strdup(weakening->code);
}

static char *
read_source(const Image *image, const char *file)
{
    GString *text = g_string_new(NULL);
    const char *line;

    for (unsigned i = 1; (line = image_source_line(image, file, i)) != NULL;
         i++)
        g_string_append_printf(text, "%s\n", line);
    return g_string_free(text, FALSE);
}

static bool
has_text(const Audit *audit, const char *source)
{
    for (guint i = 0; i < audit->rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(audit->rows, i);

        if (row->text != NULL && g_strcmp0(row->source, source) == 0)
            return true;
    }
    return false;
}

static void
find_source(const Audit *audit, const Image *image, AuditRow *row)
{
    ImageLine line;

    if (!image_line_at(image, row->place.address, &line))
        return;
    for (unsigned i = 0; i < line.frame_count; i++) {
        const ImageFrame *frame = &line.frames[i];
        g_autofree char *base = NULL;

        if (frame->file == NULL || frame->line != row->place.line)
            continue;
        base = g_path_get_basename(frame->file);
        if (g_strcmp0(base, row->place.file) != 0)
            continue;
        row->source = g_strdup(frame->file);
        if (!has_text(audit, row->source))
            row->text = read_source(image, row->source);
        return;
    }
}

static Weakening
copy_place(const Weakening *place)
{
    Weakening copy = *place;

    copy.name = g_strdup(place->name);
    copy.code = g_strdup(place->code);
    copy.function = g_strdup(place->function);
    copy.file = g_strdup(place->file);
    return copy;
}

static AuditRow *
row_of(Audit *audit, const Image *image, const Weakening *place)
{
    g_autofree char *what = mnemonic(place);
    g_autofree char *key =
        place->file != NULL
            ? g_strdup_printf("%s:%06u %s %s", place->file, place->line,
                              place->function, what)
            : g_strdup_printf("%s %s", place->name, what);
    AuditRow *row = g_hash_table_lookup(audit->keys, key);

    if (row != NULL)
        return row;
    row = g_new0(AuditRow, 1);
    row->key = g_steal_pointer(&key);
    row->place = copy_place(place);
    row->needed = AUDIT_NEVER;
    find_source(audit, image, row);
    g_ptr_array_add(audit->rows, row);
    g_hash_table_insert(audit->keys, row->key, row);
    return row;
}

/* --- One case under one model --------------------------------------------- */

/* A LOCK that is taken away matters when somebody comes between, so the
 * slices are aimed there; of a fence it is the buffers that matter. */
static void
choose_strategy(Audit *audit, const Weakening *weaken)
{
    g_clear_pointer(&audit->strategy, g_free);
    if (weaken != NULL && weaken->kind == WEAKENING_LOCK &&
        audit->options->trial.strategy == NULL)
        audit->strategy =
            g_strdup_printf("aimed,at=%" PRIu64, weaken->address);
    audit->trial.strategy = audit->strategy != NULL
                                ? audit->strategy
                                : audit->options->trial.strategy;
}

static bool
begin_trial(Audit *audit, const Subject *subject, const Weakening *weaken,
            Trial *trial, GError **error)
{
    choose_strategy(audit, weaken);
    audit->trial.memory = &audit->memory;
    audit->trial.weaken = weaken != NULL ? weaken->name : NULL;
    audit->trial.steps_max = audit->options->trial.steps_max;
    if (weaken != NULL && audit->trial.steps_max == 0)
        audit->trial.steps_max =
            MAX(STEPS_FACTOR * subject->steps, STEPS_LEAST);
    return check_prepare_with(subject->check, subject->item, &audit->trial,
                              trial, error);
}

static bool
is_broken(const Trial *trial, guint index)
{
    const Claim *claim = g_ptr_array_index(trial->claims, index);
    bool occurred = probe_occurred(trial->probe, index);

    return claim->quantifier == CLAIM_NEVER ? occurred
           : claim->quantifier == CLAIM_CERTAIN ? !occurred
                                                : false;
}

static void
note_executed(void *user, unsigned cpu, gva_t rip)
{
    Subject *subject = user;
    unsigned first = GPOINTER_TO_UINT(
        g_hash_table_lookup(subject->at, GSIZE_TO_POINTER(rip)));

    (void)cpu;
    for (; first != 0 && first <= subject->places->len; first++) {
        Place *place = &g_array_index(subject->places, Place, first - 1);

        if (place->weakening.address != rip)
            return;
        place->executed = true;
    }
}

static void
watch_places(Subject *subject, Trial *trial)
{
    RunObserver observer = {.point = note_executed, .user = subject};

    for (guint i = 0; i < subject->places->len; i++)
        code_mark(machine_code(trial->stage->machine),
                  g_array_index(subject->places, Place, i).weakening.address,
                  CODE_POINT);
    run_observe(trial->run, &observer);
}

/* What holds under this model as long as nothing is taken away. */
static bool
find_baseline(Audit *audit, Subject *subject, GError **error)
{
    uint64_t runs = BASELINE_FACTOR * runs_of(audit);
    Trial trial;
    bool ok = begin_trial(audit, subject, NULL, &trial, error);

    subject->steps = 0;
    if (ok) {
        g_array_set_size(subject->holds, trial.claims->len);
        for (guint i = 0; i < trial.claims->len; i++)
            g_array_index(subject->holds, bool, i) = true;
        watch_places(subject, &trial);
    }
    for (uint64_t i = 0; ok && i < runs; i++) {
        RunRecord record;

        ok = trial_run(&trial, audit->trial.first_seed + i, NULL, &record,
                       error);
        if (ok && record.verdict.kind != VERDICT_BUDGET)
            subject->steps = MAX(subject->steps, record.steps);
        for (guint k = 0; ok && k < trial.claims->len; k++)
            if (is_broken(&trial, k))
                g_array_index(subject->holds, bool, k) = false;
    }
    trial_clear(&trial);
    return ok;
}

static bool
keep_witness(Audit *audit, Trial *trial, const Claim *claim, AuditRow *row,
             GError **error)
{
    TrialTold told = {.claim = claim};
    Finding *finding = trial_tell(trial, &told, trial->seed, NULL, error);

    if (finding == NULL)
        return false;
    row->needed = (int)audit->memory.model;
    row->claim = claim_print(claim);
    row->scenario = g_strdup(script_scenario(trial->script)->path);
    row->case_number = trial->item->number;
    row->seed = trial->seed;
    row->replay = g_steal_pointer(&finding->replay);
    row->trace = g_steal_pointer(&finding->trace);
    finding_free(finding);
    return true;
}

/* Does a claim that held break now? */
static bool
weaken(Audit *audit, const Subject *subject, Place *place, GError **error)
{
    AuditRow *row = place->row;
    Trial trial;
    bool ok = begin_trial(audit, subject, &place->weakening, &trial, error);

    for (uint64_t i = 0; ok && row->needed == AUDIT_NEVER && i < runs_of(audit);
         i++) {
        RunRecord record;

        ok = trial_run(&trial, audit->trial.first_seed + i, NULL, &record,
                       error);
        row->runs++;
        for (guint k = 0;
             ok && row->needed == AUDIT_NEVER && k < trial.claims->len; k++)
            if (g_array_index(subject->holds, bool, k) && is_broken(&trial, k))
                ok = keep_witness(audit, &trial,
                                  g_ptr_array_index(trial.claims, k), row,
                                  error);
    }
    trial_clear(&trial);
    return ok;
}

/* Fences order nothing under SC, and barriers are notes of the models that
 * can tell. */
static bool
can_matter(MemoryModel model, WeakeningKind kind)
{
    return kind == WEAKENING_LOCK ||
           (kind == WEAKENING_FENCE && model != MEMORY_SC) ||
           (kind == WEAKENING_BARRIER &&
            (model == MEMORY_PSO || model == MEMORY_WEAK));
}

static bool
try_places(Audit *audit, Subject *subject, GError **error)
{
    if (!find_baseline(audit, subject, error))
        return false;
    for (guint i = 0; i < subject->places->len; i++) {
        Place *place = &g_array_index(subject->places, Place, i);

        if (place->executed && place->row == NULL) {
            Stage *stage = check_stage(subject->check, subject->item, error);

            if (stage == NULL)
                return false;
            place->row = row_of(audit, stage->image, &place->weakening);
            place->row->cases++;
        }
        if (place->executed && place->row->needed == AUDIT_NEVER &&
            can_matter(audit->memory.model, place->weakening.kind) &&
            !weaken(audit, subject, place, error))
            return false;
    }
    return true;
}

/* --- All of them ---------------------------------------------------------- */

static bool
takes_part(const Scenario *scenario, const ScenarioCase *item)
{
    return scenario->code == NULL && !item->has_schedule &&
           (item->mutants == NULL ||
            item->mutants->len == item->added_mutants);
}

static bool
add_subject(Audit *audit, Check *check, const ScenarioCase *item,
            GError **error)
{
    Stage *stage = check_stage(check, item, error);
    g_autoptr(GArray) list = NULL;
    Subject *subject;

    if (stage == NULL)
        return false;
    subject = g_new0(Subject, 1);
    subject->check = check;
    subject->item = item;
    subject->places = g_array_new(FALSE, TRUE, sizeof(Place));
    subject->holds = g_array_new(FALSE, TRUE, sizeof(bool));
    subject->at = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_ptr_array_add(audit->subjects, subject);
    list = weakening_list(stage->image);
    for (guint i = 0; i < list->len; i++) {
        const Weakening *found = &g_array_index(list, Weakening, i);
        gpointer key = GSIZE_TO_POINTER(found->address);
        Place place = {.weakening = copy_place(found)};

        g_array_append_val(subject->places, place);
        if (!g_hash_table_contains(subject->at, key))
            g_hash_table_insert(subject->at, key, GUINT_TO_POINTER(i + 1));
    }
    return true;
}

static bool
load(Audit *audit, const char *path, GError **error)
{
    Check *check = check_new(path, &audit->options->trial, error);
    const Scenario *scenario;

    if (check == NULL)
        return false;
    g_ptr_array_add(audit->checks, check);
    scenario = check_scenario(check);
    for (guint i = 0; i < scenario->cases->len; i++) {
        const ScenarioCase *item = g_ptr_array_index(scenario->cases, i);

        if (takes_part(scenario, item) &&
            !add_subject(audit, check, item, error))
            return false;
    }
    return true;
}

static int
compare_rows(gconstpointer left, gconstpointer right)
{
    const AuditRow *a = *(const AuditRow *const *)left;
    const AuditRow *b = *(const AuditRow *const *)right;

    return strcmp(a->key, b->key);
}

static bool
audit_all(Audit *audit, GError **error)
{
    for (unsigned model = 0; model < MEMORY_MODELS; model++) {
        audit->memory = (MemoryOptions){
            .model = (MemoryModel)model,
            .barriers = model >= MEMORY_PSO ? MEMORY_BARRIERS_SOURCE
                                            : MEMORY_BARRIERS_COMPILED,
            .depth = model >= MEMORY_PSO ? DEPTH_RELAXED
                                         : MEMORY_DEPTH_DEFAULT,
        };
        for (guint i = 0; i < audit->subjects->len; i++) {
            Subject *subject = g_ptr_array_index(audit->subjects, i);

            if (audit->options->progress != NULL)
                audit->options->progress(audit->options->user,
                                         check_scenario(subject->check),
                                         subject->item, audit->memory.model);
            if (!try_places(audit, subject, error))
                return false;
        }
    }
    return true;
}

GPtrArray *
audit_scenarios(char **paths, const AuditOptions *options, GError **error)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);
    Audit audit = {
        .options = options,
        .checks = g_ptr_array_new_with_free_func((GDestroyNotify)check_free),
        .subjects = g_ptr_array_new_with_free_func(subject_free),
        .rows = rows,
        .keys = g_hash_table_new(g_str_hash, g_str_equal),
        .trial = options->trial,
    };
    bool ok = true;

    for (char **path = paths; ok && *path != NULL; path++)
        ok = load(&audit, *path, error);
    ok = ok && audit_all(&audit, error);
    g_ptr_array_sort(rows, compare_rows);
    g_ptr_array_unref(audit.subjects);
    g_ptr_array_unref(audit.checks);
    g_hash_table_unref(audit.keys);
    g_free(audit.strategy);
    return ok ? g_steal_pointer(&rows) : NULL;
}
