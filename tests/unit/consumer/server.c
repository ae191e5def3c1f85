#include "server.h"
#include "host/clock.h"
#include "host/text.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

char server_directory[64], server_url[112];
static char server_socket[96];
pid_t server_pid;
redisContext *server_link;

void server_start(void)
{
    server_pid = fork();
    if (server_pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails half-way leaves nothing behind, */
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(127); /* nor a pipe open */
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", server_socket, "--dir",
               server_directory, "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--logfile",
               "log", (char *)NULL);
        _exit(127);
    }
    for (int tries = 0; tries < 200; tries++) {
        server_link = redisConnectUnix(server_socket);
        if (!server_link->err) {
            redisReply *reply = redisCommand(server_link, "PING");
            bool loaded = reply && reply->type == REDIS_REPLY_STATUS;
            freeReplyObject(reply);
            if (loaded) return;
        }
        redisFree(server_link);
        clock_sleep_us(20000);
    }
    cr_assert_fail("redis-server does not answer");
}

void server_stop(int how)
{
    redisFree(server_link);
    kill(server_pid, how);
    waitpid(server_pid, NULL, 0);
}

void server_begin(void)
{
    signal(SIGPIPE, SIG_IGN);
    strcpy(server_directory, "/tmp/relance-unit-XXXXXX");
    cr_assert_not_null(mkdtemp(server_directory));
    snprintf(server_socket, sizeof server_socket, "%s/s", server_directory);
    snprintf(server_url, sizeof server_url, "unix://%s", server_socket);
    server_start();
}

void server_end(void)
{
    char command[128];
    server_stop(SIGTERM);
    snprintf(command, sizeof command, "rm -r %s", server_directory);
    cr_assert_eq(system(command), 0);
}

void server_expect(const char *expected, const char *command)
{
    redisReply *reply = redisCommand(server_link, command);
    char number[TEXT_NUMBER_SIZE];
    cr_assert_not_null(reply);
    if (reply->type == REDIS_REPLY_INTEGER) text_put_int(number, reply->integer);
    const char *found = reply->type == REDIS_REPLY_INTEGER ? number
                        : reply->type == REDIS_REPLY_NIL   ? "(nil)"
                                                           : reply->str;
    cr_expect_str_eq(found, expected, "%s gives %s", command, found);
    freeReplyObject(reply);
}
