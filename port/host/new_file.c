/* SPDX-License-Identifier: Apache-2.0 */
#include "new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Three ways to put a file in its place, because no single one does everything: linkat() of a file without a
 * name never replaces, rename() always does and needs a name, and some file systems know no file without a
 * name. fsync() comes before all of them: otherwise a power cut may leave the new name with an empty file. */

#define LINKS_MAX 40 /* as many as the kernel follows */
#define TRIES_MAX 100

mode_t new_file_usual_mode(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return 0666 & ~mask;
}

/* ---- where it is to stand ---- */

/* The length of the folder's part of a path, its last slash included; 0: there is none. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

/* Puts what a link says in the place of its name. */
static int follow(char path[PATH_MAX])
{
    char target[PATH_MAX];
    ssize_t len = readlink(path, target, sizeof target);
    size_t folder = len > 0 && target[0] == '/' ? 0 : folder_length(path);

    if (len < 0)
        return errno;
    if (folder + (size_t)len >= PATH_MAX)
        return ENAMETOOLONG;
    memcpy(path + folder, target, (size_t)len);
    path[folder + (size_t)len] = '\0';
    return 0;
}

/* Finds where the links of `path` end. Nothing need be there, which realpath() would refuse. */
static int resolve(char resolved[PATH_MAX], const char *path)
{
    struct stat st;
    int err = 0;

    if (strlen(path) >= PATH_MAX)
        return ENAMETOOLONG;
    memcpy(resolved, path, strlen(path) + 1);
    for (int n = 0; err == 0 && lstat(resolved, &st) == 0 && S_ISLNK(st.st_mode); n++)
        err = n < LINKS_MAX ? follow(resolved) : ELOOP;
    return err;
}

/* ---- making it ---- */

static int make_unnamed(struct new_file *f)
{
    char folder[PATH_MAX] = ".";
    size_t len = folder_length(f->path);

    if (len > 0) {
        memcpy(folder, f->path, len);
        folder[len] = '\0';
    }
    return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* O_TMPFILE is younger than some file systems; they refuse it in one of these ways. */
static bool knows_no_unnamed(int err)
{
    return err == EOPNOTSUPP || err == EISDIR || err == EINVAL || err == ENOENT;
}

static int make_named(struct new_file *f)
{
    int len = snprintf(f->beside, sizeof f->beside, "%s.XXXXXX", f->path);

    if (len < 0 || (size_t)len >= sizeof f->beside) {
        f->beside[0] = '\0';
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkostemp(f->beside, O_CLOEXEC);
    if (fd < 0)
        f->beside[0] = '\0';
    return fd;
}

int new_file_begin(struct new_file *f, const char *path, mode_t mode)
{
    struct stat there;

    f->fd = -1;
    f->beside[0] = '\0';
    /* Before the links are read: /dev/stdout is one, to a name in /proc that says "pipe:[…]" and leads
     * nowhere. */
    bool replaces = stat(path, &there) == 0;
    if (replaces && !S_ISREG(there.st_mode))
        return ENOTSUP;
    int err = resolve(f->path, path);
    if (err != 0)
        return err;
    f->fd = make_unnamed(f);
    if (f->fd < 0 && knows_no_unnamed(errno))
        f->fd = make_named(f);
    if (f->fd < 0)
        return errno;
    if (replaces) /* only root can keep another owner, and nobody else needs to */
        (void)!fchown(f->fd, there.st_uid, there.st_gid);
    if (fchmod(f->fd, replaces ? there.st_mode & 07777 : mode) == 0)
        return 0;
    err = errno;
    new_file_drop(f);
    return err;
}

/* ---- its end ---- */

/* Gives a file without a name that of to[]. */
static int name_it(const struct new_file *f, const char *to)
{
    char from[64];

    snprintf(from, sizeof from, "/proc/self/fd/%d", f->fd);
    return linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

/* A name beside its place, which rename() wants. */
static int name_beside(struct new_file *f)
{
    int err = EEXIST;

    for (int n = 0; n < TRIES_MAX && err == EEXIST; n++) {
        int len = snprintf(f->beside, sizeof f->beside, "%s.%ld-%d", f->path, (long)getpid(), n);
        err = len > 0 && (size_t)len < sizeof f->beside ? name_it(f, f->beside) : ENAMETOOLONG;
    }
    if (err != 0)
        f->beside[0] = '\0';
    return err;
}

static int put_in_place(struct new_file *f, bool replace)
{
    int err = 0;

    if (!replace && f->beside[0] == '\0')
        return name_it(f, f->path);
    if (f->beside[0] == '\0')
        err = name_beside(f);
    if (err != 0)
        return err;
    if (!replace)
        return link(f->beside, f->path) == 0 ? 0 : errno;
    if (rename(f->beside, f->path) != 0)
        return errno;
    f->beside[0] = '\0';
    return 0;
}

int new_file_keep(struct new_file *f, bool replace)
{
    int err = EBADF; /* of a file that could not be made */

    if (f->fd >= 0)
        err = fsync(f->fd) == 0 ? put_in_place(f, replace) : errno;
    new_file_drop(f); /* of what is in place by now, the descriptor alone */
    return err;
}

void new_file_drop(struct new_file *f)
{
    if (f->beside[0] != '\0')
        unlink(f->beside);
    close(f->fd);
    f->fd = -1;
    f->beside[0] = '\0';
}

int new_file_write(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

int new_file_save(const char *path, mode_t mode, const void *data, size_t size)
{
    struct new_file f;
    int err = new_file_begin(&f, path, mode);

    if (err != 0)
        return err;
    err = new_file_write(f.fd, data, size);
    if (err == 0)
        return new_file_keep(&f, true);
    new_file_drop(&f);
    return err;
}

int new_file_try(const char *path)
{
    struct new_file f;
    int err = new_file_begin(&f, path, 0600);

    if (err == 0)
        new_file_drop(&f);
    return err;
}
