/* Rule files and zones, as bytes. */
#include "host/file.h"
#include "base/str.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];

static void put(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void begin(void)
{
    strcpy(directory, "/tmp/relance-file-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
}

static void end(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", directory);
    cr_assert_eq(system(command), 0);
}

TestSuite(file, .init = begin, .fini = end);

static struct file_set read_set(const char *path)
{
    struct file_set set = {0};
    struct relance_error error;
    cr_assert_eq(
        file_set_read(&(struct file_paths){.items = (char *[]){(char *)path}, .count = 1}, &set, &error),
        RELANCE_OK, "%s", error.message);
    return set;
}

Test(file, a_directory_is_read_by_name_and_rule_files_only)
{
    put("b.jsonc", "B");
    put("a.json", "A");
    put("Z.json", "Z");
    put("notes.txt", "no");
    put(".hidden.json", "no");
    struct file_set set = read_set(directory);
    cr_assert_eq(set.count, 3);
    cr_expect(str_equal(set.sources[0].name, STR("Z.json")) && str_equal(set.sources[0].text, STR("Z")));
    cr_expect(str_equal(set.sources[1].name, STR("a.json")) &&
              str_equal(set.sources[2].name, STR("b.jsonc")));
    file_set_free(&set);
}

static void make(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    cr_assert_eq(mkdir(path, 0700), 0);
}

static void link_to(const char *target, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    cr_assert_eq(symlink(target, path), 0);
}

static char *within(const char *name)
{
    static char paths[4][128];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

/* "NAME=TEXT …" of a set of two paths. */
static struct file_set read_two(char *one, char *other, const char *expected)
{
    struct file_set set = {0};
    struct relance_error error;
    char shown[256] = "";
    cr_assert_eq(
        file_set_read(&(struct file_paths){.items = (char *[]){one, other}, .count = 2}, &set, &error),
        RELANCE_OK, "%s", error.message);
    for (size_t i = 0; i < set.count; i++)
        snprintf(shown + strlen(shown), sizeof shown - strlen(shown), "%s%.*s=%.*s", i ? " " : "",
                 STR_ARG(set.sources[i].name), STR_ARG(set.sources[i].text));
    cr_expect_str_eq(shown, expected);
    return set;
}

Test(file, folders_within_are_read_but_no_links_to_them_and_nothing_that_begins_with_a_point)
{
    make("sub");
    make(".hidden");
    put("sub/z.json", "Z");
    put("sub.json", "S");
    put(".hidden/no.json", "no");
    put("a.json", "A");
    link_to("sub", "linked");
    link_to("a.json", "again.json");
    struct file_set set = read_set(directory);
    cr_assert_eq(set.count, 3);
    cr_expect(str_equal(set.sources[0].name, STR("a.json")),
              "the same file once, by the path that comes first");
    cr_expect(str_equal(set.sources[1].name, STR("sub.json")) &&
              str_equal(set.sources[2].name, STR("sub/z.json")));
    cr_expect(str_equal(set.sources[2].path, str_of(within("sub/z.json"))));
    file_set_free(&set);
}

Test(file, several_paths_are_one_set_in_the_order_of_all_their_files)
{
    make("b");
    make("a");
    put("b/1.json", "1");
    put("a/2.json", "2");
    put("a/3.json", "3");
    struct file_set set = read_two(within("b"), within("a"), "a/2.json=2 a/3.json=3 b/1.json=1"), other;
    other = read_two(within("a/"), within("b"), "a/2.json=2 a/3.json=3 b/1.json=1");
    cr_expect_str_eq(set.hash, other.hash);
    file_set_free(&other);
    other = read_two(within("a"), within("a/3.json"), "a/2.json=2 a/3.json=3");
    file_set_free(&other);
    file_set_free(&set);
}

Test(file, what_a_set_is_called_does_not_depend_on_where_one_stands)
{
    make("a");
    put("a/x.json", "X");
    struct file_set set = read_set(within("a")), other;
    cr_assert_eq(chdir(directory), 0);
    other = read_set("a");
    cr_expect_str_eq(set.hash, other.hash);
    cr_expect(str_equal(other.sources[0].path, STR("a/x.json")) &&
              str_equal(other.sources[0].name, STR("x.json")));
    file_set_free(&other);
    cr_assert_eq(chdir("a"), 0);
    other = read_set(".");
    cr_expect_str_eq(set.hash, other.hash);
    file_set_free(&other);
    file_set_free(&set);
    cr_assert_eq(chdir("/"), 0);
}

Test(file, a_set_keeps_its_hash_on_its_way_through_a_mark)
{
    put("a.json", "// caf\xc3\xa9 \"quoted\" \\ \t\n{}");
    struct file_set set = read_set(directory), again;
    struct relance_error error;
    char *text;
    size_t size;
    cr_assert_eq(file_set_pack(&set, &text, &size, &error), RELANCE_OK);
    cr_assert_eq(file_set_unpack((struct relance_str){text, size}, &again, &error), RELANCE_OK);
    cr_expect_str_eq(set.hash, again.hash);
    cr_expect_eq(strlen(set.hash), 12);
    cr_expect(str_equal(set.sources[0].text, again.sources[0].text));
    free(text);
    file_set_free(&again);
    put("a.json", "// another\n{}");
    again = read_set(directory);
    cr_expect_str_neq(set.hash, again.hash);
    file_set_free(&again);
    file_set_free(&set);
}

/* The first 6 bytes of the SHA-256 of "a.json", a NUL, "2", a NUL and "{}": checkpoints know their rules by it. */
Test(file, the_hash_of_rules_without_a_mapping_is_what_it_always_was)
{
    put("a.json", "{}");
    struct file_set set = read_set(directory);
    cr_expect_str_eq(set.hash, "cac1f0451cfd");
    file_set_free(&set);
}

Test(file, a_mapping_with_nul_bytes_is_taken_over_whole)
{
    static const char text[] = "{}\0behind";
    char path[128];
    struct file_set set;
    struct relance_error error;
    put("a.json", "{}");
    snprintf(path, sizeof path, "%s/m.jsonc", directory);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, sizeof text - 1, file), sizeof text - 1);
    fclose(file);
    const char *rules = within("a.json");
    const struct file_paths paths = {.items = (char *[]){(char *)rules}, .count = 1, .mapping = path};
    cr_assert_eq(file_set_read(&paths, &set, &error), RELANCE_OK, "%s", error.message);
    cr_assert_eq(set.count, 2);
    cr_expect(str_equal(set.sources[1].text, (str){text, sizeof text - 1}));
    file_set_free(&set);
}

Test(file, what_is_no_set_is_refused_with_a_sentence)
{
    struct file_set set;
    struct relance_error error;
    cr_expect_eq(
        file_set_read(&(struct file_paths){.items = (char *[]){directory}, .count = 1}, &set, &error),
        RELANCE_INVALID);
    cr_expect(strstr(error.message, "no *.json"), "%s", error.message);
    cr_expect_eq(
        file_set_read(&(struct file_paths){.items = (char *[]){"/nowhere/at/all"}, .count = 1}, &set, &error),
        RELANCE_IO);
    static const char *const wrong[] = {
        "", "{}", "[]", "[1]", "[{\"name\":\"a\"}]", "[{\"name\":\"a\",\"text\":1}]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(file_set_unpack(str_of(wrong[i]), &set, &error), RELANCE_INVALID, "%s", wrong[i]);
}

Test(file, is_refused_one_byte_past_its_limit)
{
    char path[128], *text;
    size_t size;
    struct relance_error error;
    put("x", "12345678");
    snprintf(path, sizeof path, "%s/x", directory);
    cr_assert_eq(file_read(path, 8, &text, &size, &error), RELANCE_OK);
    cr_expect(size == 8 && text[8] == '\0');
    free(text);
    cr_expect_eq(file_read(path, 7, &text, &size, &error), RELANCE_INVALID);
}

Test(file, zones_come_from_their_directory_and_from_nowhere_else)
{
    struct relance_str bytes;
    cr_assert(file_zone_load(NULL, STR("Europe/Paris"), &bytes));
    cr_expect_eq(memcmp(bytes.data, "TZif", 4), 0);
    cr_expect(file_zone_load(NULL, STR("Etc/GMT+1"), &bytes));
    static const char *const wrong[] = {"",
                                        "../../../etc/passwd",
                                        "Europe/../../../etc/passwd",
                                        "/etc/passwd",
                                        "Europe/",
                                        "Europe",
                                        "tzdata.zi",
                                        ".hidden",
                                        "Mars/Base",
                                        "Europe//Paris"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_not(file_zone_load(NULL, str_of(wrong[i]), &bytes), "%s", wrong[i]);
}
