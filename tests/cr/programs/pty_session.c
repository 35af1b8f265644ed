/* SPDX-License-Identifier: Apache-2.0 */
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <utmp.h>

#include "test.h"

/* A session with a controlling terminal, a foreground and a stopped background process group. */
static volatile struct {
	int interrupted;
	pid_t background;
} * shared;

static void on_interrupt(int number)
{
	(void)number;
	shared->interrupted = 1;
}

static void background(void *argument)
{
	(void)argument;
	must(setpgid(0, 0));
	must(raise(SIGTSTP));
	_exit(9);
}

static void leader(int slave, struct gate *ready, struct gate *go)
{
	int status;
	pid_t pid;

	must(login_tty(slave));
	(void)signal(SIGINT, on_interrupt);
	(void)signal(SIGTTOU, SIG_IGN);
	pid = spawn(background, NULL);
	shared->background = pid;
	must(waitpid(pid, &status, WUNTRACED));
	gate_open(ready);
	gate_wait(go);
	check(tcgetsid(0) == getpid(), "the terminal's session is %d", tcgetsid(0));
	check(tcgetpgrp(0) == getpgrp(), "the foreground group is %d", tcgetpgrp(0));
	must(close(open_file("/dev/tty", O_RDWR)));
	must(tcsetpgrp(0, pid));
	must(kill(-pid, SIGCONT));
	must_end(pid, 9);
	must(tcsetpgrp(0, getpgrp()));
	gate_open(ready);
	for (int i = 0; i < 500 && !shared->interrupted; i++)
		sleep_ms(10);
	_exit(shared->interrupted ? 5 : 6);
}

static void run(void)
{
	struct gate ready;
	struct gate go;
	int report = (int)must(dup(1));
	int master;
	int slave;
	pid_t pid;

	shared = map_anonymous(sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED);
	gate_init(&ready);
	gate_init(&go);
	must(openpty(&master, &slave, NULL, NULL, NULL));
	pid = (pid_t)must(fork());
	if (pid == 0) {
		must(fcntl(report, F_SETFD, FD_CLOEXEC));
		leader(slave, &ready, &go);
	}
	must(close(slave));
	gate_wait(&ready);
	wait_for_restore();
	gate_open(&go);
	gate_wait(&ready);
	write_all(master, "\003", 1);
	must_end(pid, 5);
}
PROGRAM(pty_session, run, .subject = "controlling terminals and job control within the container")
