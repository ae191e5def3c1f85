#include "view/page.h"
#include "host/file.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGE_PATH = 4096, PAGE_BYTES = 1 << 20 };

/* view/page/, made texts by embed.cmake. */
extern const struct relance_str page_index_html, page_app_js, page_app_css;

static const struct {
    enum http_page page;
    const char *name, *type;
    const struct relance_str *text;
} page_files[] = {
    {HTTP_INDEX, "index.html", "text/html; charset=utf-8", &page_index_html},
    {HTTP_SCRIPT, "app.js", "text/javascript; charset=utf-8", &page_app_js},
    {HTTP_STYLE, "app.css", "text/css; charset=utf-8", &page_app_css},
};

static enum relance_status page_show_file(struct http_server *server, const char *dir, size_t at,
                                          struct relance_error *error)
{
    char path[PAGE_PATH], *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s", dir, page_files[at].name);
    enum relance_status status = file_read(path, PAGE_BYTES, &text, &size, error);
    if (status == RELANCE_OK)
        http_server_put(server, page_files[at].page, (str){text, size}, page_files[at].type);
    free(text);
    return status;
}

enum relance_status page_show(struct http_server *server, const char *dir, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    for (size_t i = 0; i < sizeof page_files / sizeof *page_files && status == RELANCE_OK; i++)
        if (dir)
            status = page_show_file(server, dir, i, error);
        else
            http_server_put(server, page_files[i].page, *page_files[i].text, page_files[i].type);
    return status;
}
