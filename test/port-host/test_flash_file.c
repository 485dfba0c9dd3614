/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flash_file.h"

/* Files that programs of the host write: whole or not at all, regular ones only, never somebody else's. */

static char folder[64], path[80];
static struct nor_flash chip, second;
static struct flash_file file;

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/otapult-files-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/flash.bin", folder);
    umask(022);
    return 0;
}

static unsigned names_in_folder(void (*each)(const char *name))
{
    DIR *dir = opendir(folder);
    unsigned count = 0;

    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        char name[400];

        if (e->d_name[0] == '.')
            continue;
        count++;
        snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
        if (each != NULL)
            each(name);
    }
    closedir(dir);
    return count;
}

static void remove_name(const char *name)
{
    assert_int_equal(unlink(name), 0);
}

static int remove_folder(void **state)
{
    (void)state;
    names_in_folder(remove_name);
    return rmdir(folder);
}

static const char *in_folder(const char *name)
{
    static char full[2][96];
    static unsigned turn;

    turn = !turn;
    snprintf(full[turn], sizeof full[turn], "%s/%s", folder, name);
    return full[turn];
}

static void put(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(name, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(name, mode), 0);
}

static void assert_holds(const char *name, const char *text)
{
    char there[64] = "";
    FILE *f = fopen(name, "r");

    assert_non_null(f);
    (void)!fread(there, 1, sizeof there - 1, f);
    fclose(f);
    assert_string_equal(there, text);
}

static mode_t mode_of(const char *name)
{
    struct stat st;

    assert_int_equal(stat(name, &st), 0);
    return st.st_mode & 07777;
}

static int open_chip(unsigned how)
{
    return flash_file_open(&file, &chip, path, 2 * NOR_BLOCK, how);
}

/* One with a byte that tells it, and with what a chip has where its partition table stands. */
static void make_chip(uint8_t mark)
{
    assert_int_equal(open_chip(0), 0);
    assert_true(file.fresh);
    assert_int_equal(nor_program(&chip, 5, &mark, 1), 0);
    assert_int_equal(nor_program(&chip, 0x8000, "\xAA\x50", 2), 0);
    assert_int_equal(flash_file_keep(&file), 0);
    nor_close(&chip);
}

/* ---- the flash file ---- */

static void a_file_keeps_its_bytes(void **state)
{
    (void)state;
    make_chip(0x17);
    assert_int_equal(open_chip(0), 0);
    assert_false(file.fresh);
    assert_int_equal(chip.data[5], 0x17);
    assert_int_equal(chip.data[6], 0xFF);
    nor_close(&chip);
    assert_int_equal(names_in_folder(NULL), 1);
    assert_int_equal(mode_of(path), 0644);
}

static void an_empty_file_is_a_fresh_chip(void **state)
{
    (void)state;
    put(path, "", 0600);
    make_chip(1);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(open_chip(0), 0);
    assert_int_equal(chip.data[2 * NOR_BLOCK - 1], 0xFF);
    nor_close(&chip);
}

static void a_chip_that_was_not_kept_has_no_file(void **state)
{
    (void)state;
    assert_int_equal(open_chip(0), 0);
    assert_int_equal(names_in_folder(NULL), 0);
    flash_file_drop(&file);
    nor_close(&chip);
    assert_int_equal(names_in_folder(NULL), 0);
}

/* A program that is killed runs no code of ours any more. */
static void a_kill_while_it_is_made_leaves_nothing(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        if (open_chip(0) == 0 && file.fresh)
            raise(SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(names_in_folder(NULL), 0);
}

static void two_programs_do_not_share_one(void **state)
{
    struct flash_file other;

    (void)state;
    make_chip(1);
    assert_int_equal(open_chip(0), 0);
    for (unsigned how = 0; how <= FLASH_FILE_RESET; how++)
        assert_int_equal(flash_file_open(&other, &second, path, 2 * NOR_BLOCK, how), EWOULDBLOCK);
    nor_close(&chip);
    assert_int_equal(flash_file_open(&other, &second, path, 2 * NOR_BLOCK, 0), 0);
    assert_int_equal(second.data[5], 1);
    nor_close(&second);
}

/* Both begin where nothing is: the one that is done first has it. A new one is locked at once. */
static void two_programs_that_make_one(void **state)
{
    struct flash_file other;

    (void)state;
    assert_int_equal(open_chip(0), 0);
    assert_int_equal(flash_file_open(&other, &second, path, 2 * NOR_BLOCK, 0), 0);
    assert_int_equal(nor_program(&chip, 5, "\x01", 1), 0);
    assert_int_equal(nor_program(&second, 5, "\x02", 1), 0);
    assert_int_equal(flash_file_keep(&file), 0);
    assert_int_equal(flash_file_keep(&other), EEXIST);
    nor_close(&second);
    assert_int_equal(flash_file_open(&other, &second, path, 2 * NOR_BLOCK, 0), EWOULDBLOCK);
    nor_close(&chip);
    assert_int_equal(names_in_folder(NULL), 1);
    assert_int_equal(open_chip(0), 0);
    assert_int_equal(chip.data[5], 1);
    nor_close(&chip);
}

static void a_reset_takes_its_place_when_it_is_whole(void **state)
{
    struct flash_file other;

    (void)state;
    make_chip(1);
    assert_int_equal(open_chip(FLASH_FILE_RESET), 0);
    assert_true(file.fresh);
    assert_int_equal(chip.data[5], 0xFF);
    assert_int_equal(flash_file_open(&other, &second, path, 2 * NOR_BLOCK, 0), EWOULDBLOCK);
    flash_file_drop(&file);
    nor_close(&chip);
    assert_int_equal(open_chip(0), 0);
    assert_int_equal(chip.data[5], 1);
    nor_close(&chip);

    assert_int_equal(open_chip(FLASH_FILE_RESET), 0);
    assert_int_equal(flash_file_keep(&file), 0);
    assert_int_equal(flash_file_open(&other, &second, path, 2 * NOR_BLOCK, 0), EWOULDBLOCK);
    nor_close(&chip);
    assert_int_equal(open_chip(0), 0);
    assert_int_equal(chip.data[5], 0xFF);
    nor_close(&chip);
    assert_int_equal(names_in_folder(NULL), 1);
}

/* Somebody's letter, and a file that merely is as long as a chip. */
static void what_is_no_chip_is_not_thrown_away(void **state)
{
    (void)state;
    put(path, "a letter", 0640);
    for (unsigned how = 0; how <= FLASH_FILE_RESET; how++)
        assert_int_equal(open_chip(how), EINVAL);
    assert_holds(path, "a letter");

    put(path, "a letter", 0640);
    assert_int_equal(truncate(path, 2 * NOR_BLOCK), 0);
    assert_int_equal(open_chip(FLASH_FILE_RESET), EINVAL);
    assert_holds(path, "a letter");
    assert_int_equal(names_in_folder(NULL), 1);
}

/* No device of /dev: run by root, a program that fails this test would replace it. */
static void what_is_no_regular_file_is_left_alone(void **state)
{
    static const mode_t kinds[] = {S_IFIFO, S_IFSOCK};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        assert_int_equal(mknod(path, kinds[i] | 0600, 0), 0);
        for (unsigned how = 0; how <= FLASH_FILE_RESET; how++)
            assert_int_equal(open_chip(how), ENOTSUP); /* and does not wait for somebody to write */
        assert_int_equal(new_file_save(path, 0600, "x", 1), ENOTSUP);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(flash_file_open(&file, &chip, folder, 2 * NOR_BLOCK, 0), ENOTSUP);
    assert_int_equal(flash_file_open(&file, &chip, "/nowhere/flash.bin", NOR_BLOCK, 0), ENOENT);
}

static void a_private_one_is_for_its_owner_alone(void **state)
{
    (void)state;
    assert_int_equal(open_chip(FLASH_FILE_PRIVATE), 0);
    assert_int_equal(nor_program(&chip, 0x8000, "\xAA\x50", 2), 0);
    assert_int_equal(flash_file_keep(&file), 0);
    nor_close(&chip);
    assert_int_equal(mode_of(path), 0600);

    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(open_chip(FLASH_FILE_PRIVATE), 0);
    nor_close(&chip);
    assert_int_equal(mode_of(path), 0600);

    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(open_chip(FLASH_FILE_PRIVATE | FLASH_FILE_RESET), 0);
    assert_int_equal(flash_file_keep(&file), 0);
    nor_close(&chip);
    assert_int_equal(mode_of(path), 0600);
}

static void links_stay(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(symlink("real.bin", path), 0); /* which is not there yet */
    make_chip(3);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(lstat(in_folder("real.bin"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(open_chip(FLASH_FILE_RESET), 0);
    assert_int_equal(flash_file_keep(&file), 0);
    nor_close(&chip);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

/* ---- any new file ---- */

static void a_new_file_keeps_the_mode_of_the_old_one(void **state)
{
    const char *name = in_folder("out.bin");

    (void)state;
    assert_int_equal(new_file_save(name, new_file_usual_mode(), "one", 3), 0);
    assert_int_equal(mode_of(name), 0644);
    assert_int_equal(chmod(name, 0751), 0);
    assert_int_equal(new_file_save(name, new_file_usual_mode(), "two", 3), 0);
    assert_holds(name, "two");
    assert_int_equal(mode_of(name), 0751);
    assert_int_equal(names_in_folder(NULL), 1);
}

static void a_reader_of_the_old_file_goes_on_reading_it(void **state)
{
    const char *name = in_folder("out.bin");
    char there[8] = "";

    (void)state;
    put(name, "old one", 0644);
    int fd = open(name, O_RDONLY);
    assert_int_equal(new_file_save(name, 0600, "new", 3), 0);
    assert_int_equal(read(fd, there, sizeof there), 7);
    assert_string_equal(there, "old one");
    close(fd);
    assert_holds(name, "new");
}

static void links_are_followed_through_folders_and_round_no_circles(void **state)
{
    const char *target = in_folder("target");

    (void)state;
    assert_int_equal(symlink(target, in_folder("a")), 0); /* with its whole path */
    assert_int_equal(symlink("a", in_folder("b")), 0);
    assert_int_equal(new_file_save(in_folder("b"), 0600, "x", 1), 0);
    assert_holds(in_folder("target"), "x");
    assert_int_equal(symlink("d", in_folder("c")), 0);
    assert_int_equal(symlink("c", in_folder("d")), 0);
    assert_int_equal(new_file_save(in_folder("c"), 0600, "x", 1), ELOOP);
    assert_int_equal(new_file_save(folder, 0600, "x", 1), ENOTSUP);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_keeps_its_bytes),
        TEST(an_empty_file_is_a_fresh_chip),
        TEST(a_chip_that_was_not_kept_has_no_file),
        TEST(a_kill_while_it_is_made_leaves_nothing),
        TEST(two_programs_do_not_share_one),
        TEST(two_programs_that_make_one),
        TEST(a_reset_takes_its_place_when_it_is_whole),
        TEST(what_is_no_chip_is_not_thrown_away),
        TEST(what_is_no_regular_file_is_left_alone),
        TEST(a_private_one_is_for_its_owner_alone),
        TEST(links_stay),
        TEST(a_new_file_keeps_the_mode_of_the_old_one),
        TEST(a_reader_of_the_old_file_goes_on_reading_it),
        TEST(links_are_followed_through_folders_and_round_no_circles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
