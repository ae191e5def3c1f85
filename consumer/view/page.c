#include "view/page.h"
#include "base/ensure.h"
#include "host/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_PATH = 4096, PAGE_BYTES = 1 << 20 };

static const char *page_name(enum http_page page)
{
    return page == HTTP_INDEX ? "index.html" : http_page_path(page) + 1;
}

static const char *page_type(const char *name)
{
    const char *ending = strrchr(name, '.');
    return strcmp(ending, ".js") == 0    ? "text/javascript; charset=utf-8"
           : strcmp(ending, ".css") == 0 ? "text/css; charset=utf-8"
                                         : "text/html; charset=utf-8";
}

static str page_carried(const char *name)
{
    const struct page_text *found = page_texts;
    while (found->name && strcmp(found->name, name) != 0)
        found++;
    ensure(found->name);
    return *found->text;
}

static enum relance_status page_show_file(struct http_server *server, const char *dir, enum http_page page,
                                          struct relance_error *error)
{
    char path[PAGE_PATH], *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s", dir, page_name(page));
    enum relance_status status = file_read(path, PAGE_BYTES, &text, &size, error);
    if (status == RELANCE_OK) http_server_put(server, page, (str){text, size}, page_type(page_name(page)));
    free(text);
    return status;
}

enum relance_status page_show(struct http_server *server, const char *dir, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    for (enum http_page page = HTTP_FILES_BEGIN; page < HTTP_FILES_END && status == RELANCE_OK; page++)
        if (dir)
            status = page_show_file(server, dir, page, error);
        else
            http_server_put(server, page, page_carried(page_name(page)), page_type(page_name(page)));
    return status;
}
