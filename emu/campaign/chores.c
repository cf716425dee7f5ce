/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "campaign/chores.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <signal.h>

G_DEFINE_QUARK(heddle-chores-error, chores_error)

/* What a worker writes before each answer, and before the text of an error,
 * which is its last. */
typedef struct Head {
    uint32_t number;
    uint32_t failed;
    uint64_t size;
} Head;

typedef struct Worker {
    pid_t pid;
    FILE *file; /* of its answers */
} Worker;

static bool
fail(const char *what, GError **error)
{
    g_set_error(error, CHORES_ERROR, CHORES_ERROR_PROCESS,
                "a worker cannot be started: %s: %s; --jobs 1 needs none",
                what, g_strerror(errno));
    return false;
}

static void
free_answer(void *data)
{
    if (data != NULL)
        g_byte_array_unref(data);
}

static void
write_answer(FILE *file, unsigned number, const GByteArray *answer,
             const GError *error)
{
    Head head = {
        .number = number,
        .failed = error != NULL,
        .size = error != NULL ? strlen(error->message) : answer->len,
    };

    fwrite(&head, sizeof head, 1, file);
    fwrite(error != NULL ? (const void *)error->message : answer->data, 1,
           head.size, file);
}

/* In the child: take pieces until there are none. */
static int
be_worker(const Chores *chores, uint32_t *next, FILE *file)
{
    unsigned number;

    while ((number = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED)) <
           chores->count) {
        g_autoptr(GByteArray) answer = g_byte_array_new();
        g_autoptr(GError) error = NULL;
        bool done = chores->work(chores->user, number, answer, &error);

        write_answer(file, number, answer, error);
        if (!done)
            break;
    }
    return fclose(file) != 0;
}

static bool
start(const Chores *chores, uint32_t *next, Worker *worker, GError **error)
{
    pid_t parent = getpid();

    worker->file = tmpfile();
    if (worker->file == NULL)
        return fail("no file for its answers", error);
    fflush(NULL);
    worker->pid = fork();
    if (worker->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        _exit(be_worker(chores, next, worker->file));
    }
    return worker->pid > 0 || fail("fork", error);
}

/* Wait for it, and put its answers where they belong. */
static bool
collect(Worker *worker, GPtrArray *answers, GError **error)
{
    int status = 0;
    Head head;

    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
        ;
    rewind(worker->file);
    while (fread(&head, sizeof head, 1, worker->file) == 1) {
        g_autofree char *bytes = g_malloc0(head.size + 1);

        if (fread(bytes, 1, head.size, worker->file) != head.size)
            break;
        if (head.failed) {
            g_set_error(error, CHORES_ERROR, CHORES_ERROR_WORK, "%s", bytes);
            return false;
        }
        answers->pdata[head.number] = g_byte_array_new();
        g_byte_array_append(answers->pdata[head.number],
                            (const guint8 *)bytes, (guint)head.size);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    g_set_error(error, CHORES_ERROR, CHORES_ERROR_PROCESS,
                "a worker was killed, or could not write its answers to %s; "
                "--jobs 1 needs none",
                g_get_tmp_dir());
    return false;
}

static bool
do_by_many(const Chores *chores, GPtrArray *answers, GError **error)
{
    unsigned jobs = MIN(MIN(chores->jobs, chores->count), CHORES_JOBS_MAX);
    g_autofree Worker *workers = g_new0(Worker, jobs);
    uint32_t *next = mmap(NULL, sizeof *next, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool ok = next != MAP_FAILED || fail("shared memory", error);

    for (unsigned i = 0; ok && i < jobs; i++)
        ok = start(chores, next, &workers[i], error);
    for (unsigned i = 0; i < jobs; i++) {
        if (workers[i].pid > 0)
            ok = collect(&workers[i], answers, ok ? error : NULL) && ok;
        if (workers[i].file != NULL)
            fclose(workers[i].file);
    }
    if (next != MAP_FAILED)
        munmap(next, sizeof *next);
    return ok;
}

static bool
do_alone(const Chores *chores, GPtrArray *answers, GError **error)
{
    for (unsigned i = 0; i < chores->count; i++) {
        answers->pdata[i] = g_byte_array_new();
        if (!chores->work(chores->user, i, answers->pdata[i], error))
            return false;
    }
    return true;
}

GPtrArray *
chores_do(const Chores *chores, GError **error)
{
    g_autoptr(GPtrArray) answers =
        g_ptr_array_new_with_free_func(free_answer);
    bool alone = chores->jobs <= 1 || chores->count <= 1;

    g_ptr_array_set_size(answers, (gint)chores->count);
    if (!(alone ? do_alone : do_by_many)(chores, answers, error))
        return NULL;
    return g_steal_pointer(&answers);
}
