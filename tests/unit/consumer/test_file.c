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
    cr_assert_eq(file_set_read(path, &set, &error), RELANCE_OK, "%s", error.message);
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

Test(file, what_is_no_set_is_refused_with_a_sentence)
{
    struct file_set set;
    struct relance_error error;
    cr_expect_eq(file_set_read(directory, &set, &error), RELANCE_INVALID);
    cr_expect(strstr(error.message, "no *.json"), "%s", error.message);
    cr_expect_eq(file_set_read("/nowhere/at/all", &set, &error), RELANCE_IO);
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
    static struct file_zone zone;
    struct relance_str bytes;
    cr_assert(file_zone_load(&zone, STR("Europe/Paris"), &bytes));
    cr_expect_eq(memcmp(bytes.data, "TZif", 4), 0);
    cr_expect(file_zone_load(&zone, STR("Etc/GMT+1"), &bytes));
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
        cr_expect_not(file_zone_load(&zone, str_of(wrong[i]), &bytes), "%s", wrong[i]);
}
