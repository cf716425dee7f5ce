/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/report_json.h"

#include "report/json.h"

static Json *
begin(const char *kind, const Scenario *scenario, const ScenarioCase *item)
{
    Json *json = json_new(kind);

    json_text(json, "scenario", scenario->path);
    json_text(json, "case", item->title);
    json_u64(json, "case_number", item->number);
    return json;
}

static void
add_run(Json *json, const RunRecord *run, const MemoryOptions *memory)
{
    json_u64(json, "seed", run->seed);
    json_text(json, "strategy", run->strategy);
    g_autofree char *model = memmodel_print(memory);

    json_text(json, "memory", model);
    json_u64(json, "steps", run->steps);
    json_digest(json, "digest", run->digest);
}

static void
add_verdict(Json *json, const Verdict *verdict)
{
    json_text(json, "verdict", verdict_name(verdict->kind));
    if (verdict->text[0] != '\0')
        json_text(json, "text", verdict->text);
}

char *
report_json_claim(const CaseOutcome *outcome, const ClaimOutcome *claim)
{
    Json *json = begin("claim", outcome->scenario, outcome->item);
    g_autofree char *text = claim_print(claim->claim);

    json_u64(json, "line", claim->claim->line);
    json_text(json, "claim", text);
    json_bool(json, "holds", claim->holds);
    json_text(json, "how", outcome_how_name(claim->how));
    json_u64(json, "runs", claim->runs);
    json_bool(json, "implied", claim->claim->implied);
    if (claim->has_witness)
        json_u64(json, "seed", claim->seed);
    if (outcome->within != NULL) {
        json_text(json, "within", outcome->within);
        json_bool(json, "complete", outcome->complete);
        json_u64(json, "cuts", outcome->cuts);
        json_u64(json, "expected", outcome->expected);
    }
    return json_finish(json);
}

char *
report_json_run(const Scenario *scenario, const ScenarioCase *item,
                const RunRecord *run, const MemoryOptions *memory)
{
    Json *json = begin("run", scenario, item);

    add_run(json, run, memory);
    add_verdict(json, &run->verdict);
    return json_finish(json);
}

char *
report_json_finding(const Scenario *scenario, const Finding *finding,
                    const MemoryOptions *memory)
{
    Json *json = begin("finding", scenario, finding->item);
    g_autofree char *claim =
        finding->claim != NULL ? claim_print(finding->claim) : NULL;

    json_u64(json, "line",
             finding->claim != NULL ? finding->claim->line
                                    : finding->item->line);
    json_text(json, "claim", claim);
    json_bool(json, "expected", finding->expected);
    add_verdict(json, &finding->run.verdict);
    json_text(json, "where", finding->where);
    add_run(json, &finding->run, memory);
    json_text(json, "replay", finding->replay);
    json_text(json, "trace", finding->trace);
    json_text(json, "certificate", finding->certificate);
    return json_finish(json);
}

char *
report_json_event(const StoryEvent *event)
{
    Json *json = json_new("event");

    json_text(json, "event", storyrecord_kind_name(event->kind));
    json_u64(json, "step", event->step);
    json_u64(json, "cpu", event->cpu);
    json_u64(json, "depth", event->depth);
    json_text(json, "text", event->text);
    if (event->file != NULL) {
        json_text(json, "file", event->file);
        json_u64(json, "line", event->line);
    }
    if (event->quote != NULL)
        json_text(json, "quote", event->quote);
    if (event->message != 0)
        json_u64(json, "message", event->message);
    return json_finish(json);
}
