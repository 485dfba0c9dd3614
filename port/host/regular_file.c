/* SPDX-License-Identifier: Apache-2.0 */
#include "regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* A pipe of the shell has a file system of its own kind. A named pipe is on that of the folder it lies in. */
static bool is_pipe_of_the_shell(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC;
}

/* 0, or why its content is not read. */
static int refusal(int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return errno;
    if (S_ISDIR(st.st_mode))
        return EISDIR;
    return S_ISREG(st.st_mode) || is_pipe_of_the_shell(fd) ? 0 : ENOTSUP;
}

/* Opened without waiting, read as usual. */
static FILE *stream_of(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 ? fdopen(fd, "r") : NULL;
}

FILE *regular_file_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0) {
        if (errno == ENXIO) /* a socket, or a device without a driver */
            errno = ENOTSUP;
        return NULL;
    }
    int err = refusal(fd);
    FILE *f = err == 0 ? stream_of(fd) : NULL;
    if (f != NULL)
        return f;
    if (err == 0)
        err = errno;
    close(fd);
    errno = err;
    return NULL;
}

const char *regular_file_words(int err)
{
    return err == ENOTSUP ? "it is no regular file" : strerror(err);
}
