/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash/partition_table.h"

/* The file is somebody's: a wrong path must destroy nothing. So a new chip is made beside the old file and
 * takes its place only when the rover is about to run, what is no chip is never replaced, and one rover at a
 * time holds the file, by flock(), which ends with the process however it ends. */

#define PRIVATE_MODE 0600

static bool is_regular(const struct stat *st)
{
    return S_ISREG(st->st_mode);
}

static int lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
}

/* Has another program put a new file in its place between our open() and our lock? */
static bool is_still(int fd, const char *path, struct stat *st)
{
    struct stat named;

    return fstat(fd, st) == 0 && stat(path, &named) == 0 && st->st_dev == named.st_dev &&
           st->st_ino == named.st_ino;
}

/* Opens and locks the file that is in place. ENOENT: nothing is there. A device file is not even opened,
 * because opening alone can start something. */
static int open_locked(const char *path, int *fd, struct stat *st)
{
    for (;;) {
        if (stat(path, st) != 0)
            return errno;
        if (!is_regular(st))
            return ENOTSUP;
        *fd = open(path, O_RDWR | O_CLOEXEC);
        if (*fd < 0)
            return errno;
        int err = lock(*fd);
        if (err == 0 && is_still(*fd, path, st) && is_regular(st))
            return 0;
        close(*fd);
        *fd = -1;
        if (err != 0)
            return err;
    }
}

/* Is this file a chip's content? A chip has a partition table at a fixed place, or is erased there. */
static bool is_chip(int fd, const struct stat *st, size_t size)
{
    uint8_t magic[2];

    return (size_t)st->st_size == size && pread(fd, magic, sizeof magic, OTAPULT_TABLE_OFFSET) == 2 &&
           (memcmp(magic, "\xAA\x50", 2) == 0 || memcmp(magic, "\xFF\xFF", 2) == 0);
}

/* ---- a new one ---- */

/* Written, not stretched: a full disk says so here and not as a signal later. */
static int fill_erased(int fd, size_t size)
{
    uint8_t sector[NOR_SECTOR];
    int err = 0;

    memset(sector, 0xFF, sizeof sector);
    for (size_t done = 0; err == 0 && done < size; done += sizeof sector)
        err = new_file_write(fd, sector, sizeof sector);
    return err;
}

/* The chip has a descriptor of its own, under the same lock. */
static int open_chip(struct nor_flash *nor, int from, size_t size)
{
    int fd = fcntl(from, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return errno;
    int err = nor_open_fd(nor, fd, size);
    if (err != 0)
        close(fd);
    return err;
}

static int make(struct flash_file *f, struct nor_flash *nor, const char *path, size_t size, unsigned how)
{
    bool private = (how & FLASH_FILE_PRIVATE) != 0;
    int err = new_file_begin(&f->made, path, private ? PRIVATE_MODE : new_file_usual_mode());

    if (err != 0)
        return err;
    if (private && fchmod(f->made.fd, PRIVATE_MODE) != 0)
        err = errno;
    if (err == 0)
        err = lock(f->made.fd);
    if (err == 0)
        err = fill_erased(f->made.fd, size);
    if (err == 0)
        err = open_chip(nor, f->made.fd, size);
    if (err != 0)
        new_file_drop(&f->made);
    f->fresh = err == 0;
    return err;
}

static void release(struct flash_file *f)
{
    if (f->old >= 0)
        close(f->old);
    f->old = -1;
    f->fresh = false;
}

int flash_file_keep(struct flash_file *f)
{
    int err = new_file_keep(&f->made, f->replaces);

    release(f);
    return err;
}

void flash_file_drop(struct flash_file *f)
{
    new_file_drop(&f->made);
    release(f);
}

/* ---- opening ---- */

static int open_there(struct flash_file *f, struct nor_flash *nor, const struct stat *st, size_t size,
                      unsigned how)
{
    bool tighten = (how & FLASH_FILE_PRIVATE) != 0 && (st->st_mode & 077) != 0;

    if ((size_t)st->st_size != size)
        return EINVAL;
    if (tighten && fchmod(f->old, PRIVATE_MODE) != 0)
        return errno;
    return open_chip(nor, f->old, size);
}

int flash_file_open(struct flash_file *f, struct nor_flash *nor, const char *path, size_t size, unsigned how)
{
    struct stat st;

    *f = (struct flash_file){.old = -1};
    int err = open_locked(path, &f->old, &st);
    if (err == ENOENT)
        return make(f, nor, path, size, how);
    if (err != 0)
        return err;
    f->replaces = st.st_size == 0 || (how & FLASH_FILE_RESET) != 0;
    if (f->replaces && st.st_size != 0 && !is_chip(f->old, &st, size))
        err = EINVAL;
    else if (f->replaces)
        err = make(f, nor, path, size, how);
    else
        err = open_there(f, nor, &st, size, how);
    if (err != 0 || !f->fresh)
        release(f);
    return err;
}
