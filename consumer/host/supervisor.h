/* What a supervisor that has started us is told: systemd's protocol for services of Type=notify, which is a datagram to
 * the socket that NOTIFY_SOCKET names. Without that variable nobody is told. */
#ifndef CONSUMER_HOST_SUPERVISOR_H
#define CONSUMER_HOST_SUPERVISOR_H

/* Lines of NAME=VALUE, as sd_notify(3) has them: "READY=1". A supervisor that cannot be reached is no error of ours. */
void supervisor_tell(const char *lines);

#endif
