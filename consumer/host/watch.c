#include "host/watch.h"
#include "base/str.h"
#include "host/file.h"
#include "host/print.h"
#include "host/stop.h"
#include "host/terminal.h"

#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    WATCH_LOOK_MS = 1000, /* at the latest */
    WATCH_QUIET_MS = 50,  /* between the writes of an editor there is less */
};

struct watch {
    struct file_paths paths;
    int file;      /* of inotify; -1: there is none to be had */
    char hash[13]; /* of what was there last; empty: it could not be read */
};

static void watch_hash(const struct file_paths *paths, char hash[13])
{
    struct file_set set;
    struct relance_error error;
    bool read = file_set_read(paths, &set, &error) == RELANCE_OK;
    snprintf(hash, 13, "%s", read ? set.hash : "");
    if (read) file_set_free(&set);
}

/* The folders in which the files are, by their names, since they may be others by now; one that is watched already stays
 * so. */
static void watch_folders(const struct watch *watch)
{
    const uint32_t events =
        IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF;
    char folder[PATH_MAX];
    struct stat about;
    for (size_t i = 0; i < watch->paths.count; i++) {
        snprintf(folder, sizeof folder, "%s", watch->paths.items[i]);
        bool is_folder = stat(folder, &about) == 0 && S_ISDIR(about.st_mode);
        inotify_add_watch(watch->file, is_folder ? folder : dirname(folder), events);
    }
}

/* Waits until something happens, or for so long. */
static bool watch_hear(const struct watch *watch, int timeout_ms)
{
    char events[4096];
    struct pollfd file = {.fd = watch->file, .events = POLLIN};
    return poll(&file, 1, timeout_ms) > 0 && read(watch->file, events, sizeof events) > 0;
}

/* False: it is time to go. */
static bool watch_wait(struct watch *watch)
{
    char hash[13];
    do {
        watch_folders(watch);
        if (watch_hear(watch, WATCH_LOOK_MS))
            while (!stop_requested() && watch_hear(watch, WATCH_QUIET_MS))
                ;
        watch_hash(&watch->paths, hash);
    } while (!stop_requested() && strcmp(hash, watch->hash) == 0);
    memcpy(watch->hash, hash, sizeof hash);
    return !stop_requested();
}

static void watch_tell(const struct watch *watch)
{
    char at[16], shown[FILE_PATHS_SHOWN];
    time_t now = time(NULL);
    struct tm local;
    print_flush();
    strftime(at, sizeof at, "%H:%M:%S", localtime_r(&now, &local));
    print_paint(PAINT_FAINT, stderr);
    print(stderr, "%s  watching %s; an interrupt ends it", at, file_paths_show(&watch->paths, shown));
    print_paint(PAINT_NONE, stderr);
    fputc('\n', stderr);
}

static void watch_begin_page(void)
{
    if (terminal_obeys(stdout))
        print_control("\033[H\033[2J", stdout);
    else
        fputc('\n', stdout);
    print_flush(); /* what comes may go to standard error */
}

int watch_run(watch_once *once, const struct options *options)
{
    struct watch watch = {.paths = {options->args, options->arg_count, options_mapping(options), true},
                          .file = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    stop_on_signals();
    watch_folders(&watch);
    watch_hash(&watch.paths, watch.hash); /* before it is looked at: what changes meanwhile is seen then */
    int status = once(options);
    for (watch_tell(&watch); !print_failed() && watch_wait(&watch); watch_tell(&watch)) {
        watch_begin_page();
        status = once(options);
    }
    if (watch.file >= 0) close(watch.file);
    return status;
}
