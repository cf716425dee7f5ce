/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/memmodel.h"

static const char *const model_names[] = {
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

bool
memmodel_parse(const char *name, MemoryModel *model)
{
    for (size_t i = 0; i < G_N_ELEMENTS(model_names); i++)
        if (strcmp(name, model_names[i]) == 0) {
            *model = (MemoryModel)i;
            return true;
        }
    return false;
}
