/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "check/telling.h"

#include <glib/gstdio.h>

#include "check/certify.h"
#include "report/report_text.h"
#include "report/report_words.h"
#include "report/storylog.h"
#include "search/trace.h"

struct Telling {
    TellingSetup setup;
    StoryLog *log;
    StoryLogObject *objects;
    gva_t globaldata[CPUS_MAX];
};

static void
list_names(Telling *telling, StoryLogSetup *log)
{
    const Scenario *scenario = telling->setup.scenario;
    const Stage *stage = telling->setup.stage;
    const SystemView *view = &stage->view;

    telling->objects = g_new0(StoryLogObject, scenario->objects->len + 1);
    for (guint i = 0; i < scenario->objects->len; i++) {
        const Object *object = g_ptr_array_index(scenario->objects, i);

        telling->objects[i] = (StoryLogObject){
            .name = object->name,
            .address = stage->objects[i],
            .size = stage->object_sizes[i],
        };
    }
    log->stories = telling->setup.stories;
    log->objects = telling->objects;
    log->object_count = scenario->objects->len;
    if (!view->has_globaldata)
        return;
    for (unsigned i = 0; i < machine_cpus(stage->machine); i++)
        telling->globaldata[i] = system_globaldata(view, i);
    log->globaldata = telling->globaldata;
    log->globaldata_size = view->globaldata->size;
    log->globaldata_type = view->globaldata;
}

Telling *
telling_new(const TellingSetup *setup)
{
    Telling *telling = g_new0(Telling, 1);
    const System *system = setup->stage->system;
    StoryLogSetup log = {
        .image = setup->stage->image,
        .machine = setup->stage->machine,
        .view = &setup->stage->state,
        .notable = system->calls,
        .sends = system->sends,
        .locks = system->locks,
        .unlocks = system->unlocks,
        .masks = &system->masks,
        .unclaimed = system->fifos.unclaimed,
        .wait_provider = system->wait_provider,
        .wait_push = system->wait_push,
        .wait_pop = system->wait_pop,
        .trace_provider = system->trace_provider,
    };
    RunObserver observer;

    telling->setup = *setup;
    list_names(telling, &log);
    telling->log = storylog_new(&log);
    storylog_attach(telling->log);
    storylog_observer(telling->log, &observer);
    run_observe(setup->run, &observer);
    return telling;
}

void
telling_free(Telling *telling)
{
    if (telling == NULL)
        return;
    run_observe(telling->setup.run, NULL);
    machine_watch_flow(telling->setup.stage->machine, false);
    storylog_free(telling->log);
    g_free(telling->objects);
    g_free(telling);
}

void
telling_call(Telling *telling, unsigned cpu, const char *text)
{
    storylog_call(telling->log, cpu, text);
}

void
telling_load(Telling *telling, unsigned cpu, gva_t address, uint64_t size)
{
    storylog_load(telling->log, cpu, address, size);
}

void
telling_mark(Telling *telling, unsigned cpu, const char *name)
{
    storylog_mark(telling->log, cpu, name);
}

/* The command that makes this run again; what is default is left out. */
static char *
replay_command(const TellingSetup *setup, uint64_t seed)
{
    GString *text = g_string_new("heddle replay ");
    g_autofree char *path = report_words_shell(setup->scenario->path);
    g_autofree char *mutants = scenario_mutant_options(setup->item);

    g_string_append_printf(text, "%s --case %u --seed %" PRIu64, path,
                           setup->item->number, seed);
    if (!setup->default_strategy)
        g_string_append_printf(text, " --strategy %s", setup->strategy);
    if (!setup->default_memory) {
        g_autofree char *memory = memmodel_print(&setup->memory);

        g_string_append_printf(text, " --memory %s", memory);
    }
    if (setup->ipiq != NULL) {
        g_autofree char *ipiq = g_shell_quote(setup->ipiq);

        g_string_append_printf(text, " --ipiq %s", ipiq);
    }
    if (setup->weaken != NULL)
        g_string_append_printf(text, " --weaken %s", setup->weaken);
    if (setup->steps_max != 0)
        g_string_append_printf(text, " --steps %" PRIu64, setup->steps_max);
    g_string_append(text, mutants);
    return g_string_free(text, FALSE);
}

/* Name the trace after what it shows, so that the same finding is the same
 * file: scenario, case, digest. */
static char *
trace_path(const TellingSetup *setup, uint64_t digest)
{
    g_autofree char *base = g_path_get_basename(setup->scenario->path);
    g_autofree char *name = NULL;

    if (g_str_has_suffix(base, ".lua"))
        base[strlen(base) - 4] = '\0';
    name = g_strdup_printf("%s-case%u-%016" PRIx64 ".trace", base,
                           setup->item->number, digest);
    return g_build_filename(setup->trace_folder, name, NULL);
}

static char **
added_mutants(const ScenarioCase *item)
{
    GStrvBuilder *builder = g_strv_builder_new();
    char **names = NULL;

    for (guint i = item->mutants->len - item->added_mutants;
         i < item->mutants->len; i++)
        g_strv_builder_add(builder, g_ptr_array_index(item->mutants, i));
    if (item->added_mutants > 0)
        names = g_strv_builder_end(builder);
    g_strv_builder_unref(builder);
    return names;
}

static bool
keep_trace(const TellingSetup *setup, const RunRecord *record, char **path,
           GError **error)
{
    Trace trace = {
        .scenario = g_canonicalize_filename(setup->scenario->path, NULL),
        .case_number = setup->item->number,
        .ipiq = g_strdup(setup->ipiq),
        .weaken = g_strdup(setup->weaken),
        .mutants = added_mutants(setup->item),
        .strategy = g_strdup(setup->strategy),
        .memory = memmodel_print(&setup->memory),
        .seed = record->seed,
        .steps_max = setup->steps_max,
        .image = image_digest(setup->stage->image),
        .verdict = g_strdup(verdict_name(record->verdict.kind)),
        .digest = record->digest,
    };
    const Tape *tape = run_tape(setup->run);
    bool written;

    if (setup->trace_folder == NULL) {
        trace_clear(&trace);
        return true;
    }
    for (size_t i = 0; i < tape->count; i++)
        tape_push(&trace.tape, tape->items[i].kind, tape->items[i].value);
    if (g_mkdir_with_parents(setup->trace_folder, 0777) != 0) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_FILE,
                    "cannot make the folder %s to keep findings in: name "
                    "another with --traces",
                    setup->trace_folder);
        trace_clear(&trace);
        return false;
    }
    *path = trace_path(setup, record->digest);
    written = trace_write(&trace, *path, error);
    trace_clear(&trace);
    return written;
}

/* Beside the trace, if the run is stuck for ever and that can be proved. */
static bool
keep_certificate(const TellingSetup *setup, const RunRecord *record,
                 Finding *finding, GError **error)
{
    CertifyEnd end = {.stage = setup->stage, .run = setup->run,
                      .verdict = &record->verdict};
    g_auto(Certificate) certificate = {0};
    g_autofree char *path = NULL;

    if (finding->trace == NULL)
        return true;
    certificate_init(&certificate);
    if (!certify_make(&end, &certificate))
        return true;
    path = certificate_path(finding->trace);
    if (!g_file_get_contents(finding->trace, &certificate.trace_text, NULL,
                             error) ||
        !certificate_write(&certificate, path, error))
        return false;
    finding->certificate = g_steal_pointer(&path);
    return true;
}

static void
tell_breaches(Telling *telling)
{
    unsigned count;
    const Breach *breaches = probe_breaches(telling->setup.probe, &count);

    for (unsigned i = 0; i < count; i++)
        storylog_aside(telling->log, STORY_EVENT_BREACH, &breaches[i].moment,
                       breaches[i].rule);
}

/* When what `only` speaks of was so; if there is none, what any claim does.  A
 * breach is told as such. */
static void
tell_moments(Telling *telling, const Claim *only)
{
    const GPtrArray *claims = telling->setup.item->claims;

    for (guint i = 0; i < claims->len; i++) {
        const Claim *claim = g_ptr_array_index(claims, i);
        const Moment *moment = probe_moment(telling->setup.probe, i);

        if (moment != NULL && !claim->implied &&
            claim->predicate->kind != PREDICATE_BREACH &&
            (claim == only ||
             (only == NULL && (claim->quantifier == CLAIM_NEVER ||
                               claim->quantifier == CLAIM_POSSIBLE))))
            storylog_aside(telling->log, STORY_EVENT_MOMENT, moment,
                           claim->predicate->text);
    }
}

/* What the guest wrote to its console comes last, a bar before each line. */
static char *
with_console(char *story, const char *console)
{
    GString *text = g_string_new(story);
    g_auto(GStrv) lines = g_strsplit(console, "\n", -1);

    g_free(story);
    if (*console != '\0')
        g_string_append(text, "console\n");
    for (char **line = lines; *line != NULL; line++)
        if (**line != '\0')
            g_string_append_printf(text, "  | %s\n", *line);
    return g_string_free(text, FALSE);
}

Finding *
telling_finish(Telling *telling, const Claim *claim, bool expected,
               const RunRecord *record, GError **error)
{
    const TellingSetup *setup = &telling->setup;
    Finding *finding = g_new0(Finding, 1);
    const StoryRecord *told;

    tell_breaches(telling);
    tell_moments(telling, claim);
    storylog_finish(telling->log);
    told = storylog_record(telling->log);
    finding->item = setup->item;
    finding->claim = claim;
    finding->expected = expected;
    finding->lost = record->verdict.kind == VERDICT_DONE &&
                    state_waiting_fifo(setup->stage->machine,
                                       &setup->stage->state) != NULL;
    finding->run = *record;
    finding->where = report_text_where(told);
    finding->replay = replay_command(setup, record->seed);
    if (!keep_trace(setup, record, &finding->trace, error) ||
        !keep_certificate(setup, record, finding, error)) {
        finding_free(finding);
        return NULL;
    }
    if (setup->trace != NULL || (setup->by_trace && finding->trace != NULL)) {
        g_autofree char *path = report_words_shell(
            setup->trace != NULL ? setup->trace : finding->trace);

        g_free(finding->replay);
        finding->replay = g_strconcat("heddle replay ", path, NULL);
    }
    if (finding->trace == NULL)
        finding->trace = g_strdup(setup->trace);
    finding->story = setup->raw ? report_text_raw(told)
                                : report_text(setup->scenario, finding, told,
                                              setup->color);
    finding->story = with_console(finding->story,
                                  machine_console(setup->stage->machine));
    if (setup->keep_record)
        finding->told = storylog_take_record(telling->log);
    return finding;
}
