/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * litmus_buffers -- a litmus program on an abstract machine, every way.
 *
 * The second opinion on litmus_axioms: the models as machines, searched state
 * by state.
 *
 *      SC      a store is in memory at once
 *      TSO     one FIFO of stores a thread; loads look there first; MFENCE and
 *              LOCKed instructions wait until it is empty
 *      PSO     as TSO, but a store may overtake those of other locations that
 *              stand before it, though not an SFENCE
 *      WEAK    as PSO, but memory remembers what it held, and a load may take
 *              any value that its location had since the thread's last LFENCE,
 *              MFENCE or LOCKed instruction, if it is not older than what the
 *              thread last read from, or put into, that location
 *
 * Shares the programs with litmus_axioms and nothing else with anyone.
 */
#ifndef TESTS_LITMUS_BUFFERS_H
#define TESTS_LITMUS_BUFFERS_H

#include "litmus_axioms.h"

/*
 * Every outcome that the machine of the model can reach (not AXIOMS_RMO), as
 * axioms_outcomes() gives them.  NULL beyond BUFFERS_STATES_MAX states.
 * Constants of the program must lie in [-100, 100].
 */
#define BUFFERS_STATES_MAX 200000u
GPtrArray *buffers_outcomes(const AxiomsProgram *program, AxiomsModel model);

#endif
