/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/memmodel.h"

#include "base/capacity.h"

G_DEFINE_QUARK(heddle-memmodel-error, memmodel_error)

static const char *const model_names[MEMORY_MODELS] = {
    [MEMORY_SC] = "sc",
    [MEMORY_TSO] = "tso",
    [MEMORY_PSO] = "pso",
    [MEMORY_WEAK] = "weak",
};

const char *
memmodel_name(MemoryModel model)
{
    INVARIANT((size_t)model < G_N_ELEMENTS(model_names));
    return model_names[model];
}

char *
memmodel_print(const MemoryOptions *options)
{
    GString *text = g_string_new(memmodel_name(options->model));

    if (options->depth != MEMORY_DEPTH_DEFAULT)
        g_string_append_printf(text, ",depth=%u", options->depth);
    if (options->barriers == MEMORY_BARRIERS_SOURCE)
        g_string_append(text, ",barriers=source");
    return g_string_free(text, FALSE);
}

static bool
parse_model(const char *text, MemoryOptions *options, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(model_names); i++)
        if (g_str_equal(text, model_names[i])) {
            options->model = (MemoryModel)i;
            return true;
        }
    g_set_error(error, MEMMODEL_ERROR, MEMMODEL_ERROR_TEXT,
                "no memory model \"%s\"; there are sc, tso, pso, weak", text);
    return false;
}

static bool
parse_parameter(const char *text, MemoryOptions *options, GError **error)
{
    guint64 depth;

    if (g_str_has_prefix(text, "depth=") &&
        g_ascii_string_to_unsigned(text + strlen("depth="), 10, 1,
                                   STOREBUF_DEPTH_MAX, &depth, NULL))
        options->depth = (unsigned)depth;
    else if (g_str_equal(text, "barriers=source"))
        options->barriers = MEMORY_BARRIERS_SOURCE;
    else if (g_str_equal(text, "barriers=compiled"))
        options->barriers = MEMORY_BARRIERS_COMPILED;
    else {
        g_set_error(error, MEMMODEL_ERROR, MEMMODEL_ERROR_TEXT,
                    "\"%s\" is no parameter of a memory model; there are "
                    "depth=1 to depth=%d, barriers=compiled and "
                    "barriers=source",
                    text, STOREBUF_DEPTH_MAX);
        return false;
    }
    return true;
}

bool
memmodel_parse(const char *text, MemoryOptions *options, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);

    *options = MEMORY_OPTIONS_SC;
    if (!parse_model(words[0] != NULL ? words[0] : "", options, error))
        return false;
    for (unsigned i = 1; words[i] != NULL; i++)
        if (!parse_parameter(words[i], options, error))
            return false;
    return true;
}
