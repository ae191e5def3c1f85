#include "host/process.h"
#include "host/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESS_NAP_US = 5000, PROCESS_STATUS_NOT_STARTED = 127 };

/* Only what is left of a variable that was set: "PATH=…". */
static void process_clean_environment(void)
{
    static const char *const kept[] = {"PATH", "HOME", "LANG", "TZ"};
    char *values[sizeof kept / sizeof *kept];
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const char *value = getenv(kept[i]);
        values[i] = value ? strdup(value) : NULL;
    }
    clearenv();
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (values[i]) setenv(kept[i], values[i], 1);
}

_Noreturn static void process_become(const char *const *words, const char *log_path, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(PROCESS_STATUS_NOT_STARTED); /* it died before we asked */
    setpgid(0, 0);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600), nothing = open("/dev/null", O_RDONLY);
    if (log < 0 || nothing < 0) _exit(PROCESS_STATUS_NOT_STARTED);
    dup2(nothing, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close_range(3, ~0u, 0);
    process_clean_environment();
    execvp(words[0], (char *const *)(size_t)words); /* exec's type lacks a const */
    dprintf(STDERR_FILENO, "%s: %s\n", words[0], strerror(errno));
    _exit(PROCESS_STATUS_NOT_STARTED);
}

enum relance_status process_start(struct process *process, const char *name, const char *const *words,
                                  const char *log_path, struct relance_error *error)
{
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return relance_error_set(error, RELANCE_IO, "%s cannot be started: %s", name, strerror(errno));
    if (pid == 0) process_become(words, log_path, parent);
    *process = (struct process){.name = name, .pid = pid};
    return RELANCE_OK;
}

/* True once it has ended; *status is then that of waitpid. */
static bool process_ended(struct process *process, int *status)
{
    *status = 0;
    if (!process->pid) return true;
    if (waitpid(process->pid, status, WNOHANG) == 0) return false;
    process->pid = 0;
    return true;
}

bool process_running(struct process *process)
{
    int status;
    return !process_ended(process, &status);
}

bool process_stop(struct process *process, int timeout_ms)
{
    int status;
    if (!process->pid) return true;
    kill(process->pid, SIGTERM);
    int64_t until_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    while (!process_ended(process, &status)) {
        if (clock_monotonic_us() > until_us) kill(process->pid, SIGKILL);
        clock_sleep_us(PROCESS_NAP_US);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
