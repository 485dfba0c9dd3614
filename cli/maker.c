/* SPDX-License-Identifier: Apache-2.0 */
#include "maker.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The other process is a fork() without exec: it has the files of this one in memory and needs no arguments.
 * The result comes back through a temporary file and not through a pipe, because a pipe that nobody reads
 * would stop it. */

/* Runs in the other process. It ends with _exit(), so it closes and flushes no file that the first process
 * has. */
static _Noreturn void work(FILE *to, bool (*make)(void *ctx, struct patch_file *out), void *ctx)
{
    struct patch_file made = {.data = NULL};

    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    bool good = make(ctx, &made) && fwrite(made.data, 1, made.size, to) == made.size && fflush(to) == 0;
    _exit(good ? 0 : 1);
}

bool maker_begin(struct maker *m, bool (*make)(void *ctx, struct patch_file *out), void *ctx)
{
    m->file = tmpfile();
    if (m->file == NULL)
        return false;
    m->pid = fork();
    if (m->pid == 0)
        work(m->file, make, ctx);
    if (m->pid > 0)
        return true;
    m->pid = 0;
    fclose(m->file);
    return false;
}

static bool read_back(FILE *file, struct patch_file *out)
{
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;

    if (size <= 0 || fseek(file, 0, SEEK_SET) != 0)
        return false;
    out->size = (size_t)size;
    out->data = malloc(out->size);
    if (out->data != NULL && fread(out->data, 1, out->size, file) == out->size)
        return true;
    free(out->data);
    return false;
}

enum maker_word maker_ask(struct maker *m, struct patch_file *out)
{
    int status = 0;
    pid_t ended = waitpid(m->pid, &status, WNOHANG);

    *out = (struct patch_file){.data = NULL};
    if (ended == 0)
        return MAKER_BUSY;
    bool good = ended == m->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 && read_back(m->file, out);
    fclose(m->file);
    *m = (struct maker){.pid = 0};
    if (!good)
        *out = (struct patch_file){.data = NULL};
    return good ? MAKER_DONE : MAKER_FAILED;
}

void maker_end(struct maker *m)
{
    if (m->pid == 0)
        return;
    kill(m->pid, SIGTERM);
    waitpid(m->pid, NULL, 0);
    fclose(m->file);
    *m = (struct maker){.pid = 0};
}
