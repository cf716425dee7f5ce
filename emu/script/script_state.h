/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_state -- a fresh start for each run.
 *
 * A story may count in a local variable of the file, or fill a table.  What a
 * case's functions can reach, through variables and tables, is written down
 * after loading and put back when a run begins.  What did not change is only
 * compared.
 *
 * Layer 7; private to script*.c.
 */
#ifndef EMU_SCRIPT_SCRIPT_STATE_H
#define EMU_SCRIPT_SCRIPT_STATE_H

#include "base/base.h"
#include "script/script_context.h"

/* Write down what the functions of `code` and the conditions can reach. */
void script_state_record(Script *script, ScriptCode *code);

/* Has a run changed any of it so far? */
bool script_state_has_changed(Script *script, const ScriptCode *code);

void script_state_restore(Script *script, const ScriptCode *code);

#endif
