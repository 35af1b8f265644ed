/* SPDX-License-Identifier: Apache-2.0 */
/*
 * programs list		the table of programs, for run-programs; fields separated by tabs
 * programs run NAME		a program by itself, its descriptors as they are
 * programs group NAME...	process 1 of a container: run these programs
 *
 * Process 1 starts each program in a directory below /cr/work and waits for all to be ready; then it
 * writes /cr/out/ready. On SIGUSR1 it has them check their state, and writes what each says to
 * /cr/out/results: "pass NAME", "fail NAME: SENTENCE" or "skip NAME: SENTENCE". It then stays, so that the
 * container can be looked at.
 */
#include <dirent.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "test.h"

#define TIMEOUT_MS 60000

extern const struct program *const __start_programs[];
extern const struct program *const __stop_programs[];

struct job {
	const struct program *program;
	pid_t pid; /* 0: has ended */
	int control_fd;
	int report_fd; /* -1: closed */
	bool is_ready;
	size_t n;
	char text[1024]; /* what it said, since the last whole line */
	char verdict[1024]; /* "": none yet */
};

static struct job *jobs;
static size_t n_jobs;
static volatile sig_atomic_t told;

static const struct program *find(const char *name)
{
	for (const struct program *const *p = __start_programs; p < __stop_programs; p++)
		if (strcmp((*p)->name, name) == 0)
			return *p;
	return NULL;
}

static const char *field(const char *text)
{
	return text ? text : "-";
}

static int list(void)
{
	for (const struct program *const *p = __start_programs; p < __stop_programs; p++)
		printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", (*p)->name,
		       field((*p)->container), field((*p)->options), field((*p)->not_in),
		       field((*p)->refused), field((*p)->subject), field((*p)->note),
		       field((*p)->why_not), field((*p)->lost), field((*p)->needs));
	return 0;
}

/* ---- process 1 ---- */

static void set_verdict(struct job *job, const char *verdict, const char *sentence)
{
	if (job->verdict[0] != '\0')
		return;
	format(job->verdict, sizeof(job->verdict), "%s %s%s%s", verdict, job->program->name,
	       sentence[0] ? ": " : "", sentence);
}

static void take_line(struct job *job, char *line)
{
	if (strcmp(line, "ready") == 0)
		job->is_ready = true;
	else if (strcmp(line, "pass") == 0)
		set_verdict(job, "pass", "");
	else if (strncmp(line, "fail: ", 6) == 0)
		set_verdict(job, "fail", line + 6);
	else if (strncmp(line, "skip: ", 6) == 0)
		set_verdict(job, "skip", line + 6);
	else
		set_verdict(job, "fail", "unexpected output");
}

static void read_reports(struct job *job)
{
	ssize_t n = 1;

	while (job->report_fd >= 0 && n > 0) {
		char *end;

		n = read(job->report_fd, job->text + job->n, sizeof(job->text) - 1 - job->n);
		if (n > 0)
			job->n += (size_t)n;
		job->text[job->n] = '\0';
		while ((end = strchr(job->text, '\n')) != NULL) {
			*end = '\0';
			take_line(job, job->text);
			job->n -= (size_t)(end + 1 - job->text);
			memmove(job->text, end + 1, job->n + 1);
		}
		if (n == 0) {
			(void)close(job->report_fd);
			job->report_fd = -1;
		}
	}
}

static void take_end(struct job *job, int status)
{
	char text[64];

	job->pid = 0;
	read_reports(job);
	if (WIFSIGNALED(status))
		format(text, sizeof(text), "ended by signal %d", WTERMSIG(status));
	else
		format(text, sizeof(text), "ended with code %d", WEXITSTATUS(status));
	set_verdict(job, "fail", text);
}

/* Orphans of the programs come to us as well. */
static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < n_jobs; i++)
			if (jobs[i].pid == pid)
				take_end(&jobs[i], status);
}

static bool is_waiting(const struct job *job, bool for_verdict)
{
	return job->verdict[0] == '\0' && (for_verdict || !job->is_ready);
}

/* Until each program is ready, or has said its verdict. Signals are handled in ppoll() only. */
static void wait_for_programs(bool for_verdict)
{
	int64_t deadline = now_ms(CLOCK_MONOTONIC) + TIMEOUT_MS;
	struct pollfd *pfds = calloc(n_jobs, sizeof(*pfds));
	struct timespec pause = { .tv_nsec = 100000000 };
	sigset_t none;
	size_t n_waiting;

	(void)sigemptyset(&none);
	do {
		n_waiting = 0;
		for (size_t i = 0; i < n_jobs; i++) {
			pfds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
			if (is_waiting(&jobs[i], for_verdict)) {
				pfds[i].fd = jobs[i].report_fd;
				n_waiting++;
			}
		}
		if (n_waiting > 0)
			(void)ppoll(pfds, n_jobs, &pause, &none);
		for (size_t i = 0; i < n_jobs; i++)
			read_reports(&jobs[i]);
		reap();
	} while (n_waiting > 0 && now_ms(CLOCK_MONOTONIC) < deadline);
	free(pfds);
	for (size_t i = 0; i < n_jobs; i++)
		if (is_waiting(&jobs[i], for_verdict))
			set_verdict(&jobs[i], "fail",
				    for_verdict ? "says nothing after the restore" :
						  "does not become ready");
}

/* Of a program: no descriptor of another's, no signal disposition of ours. */
static void enter_program(const struct job *job, int control_fd, int report_fd)
{
	char path[PATH_MAX];
	sigset_t none;
	int log;

	format(path, sizeof(path), "/cr/out/%s.log", job->program->name);
	log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	/* One may be another's new number. */
	report_fd = (int)must(fcntl(report_fd, F_DUPFD, 3));
	log = (int)must(fcntl(log, F_DUPFD, 3));
	must(dup2(control_fd, 0));
	must(dup2(report_fd, 1));
	must(dup2(log, 2));
	must(close_range(3, ~0u, 0));
	(void)signal(SIGUSR1, SIG_DFL);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&none);
	must(sigprocmask(SIG_SETMASK, &none, NULL));
	must(setsid());
	must(prctl(PR_SET_NAME, job->program->name));
	format(path, sizeof(path), "/cr/work/%s", job->program->name);
	must(mkdir(path, 0755));
	must(chdir(path));
}

static void start(struct job *job)
{
	int control[2];
	int reports[2];

	must(pipe2(control, O_CLOEXEC));
	must(pipe2(reports, O_CLOEXEC));
	job->pid = (pid_t)must(fork());
	if (job->pid == 0) {
		enter_program(job, control[0], reports[1]);
		job->program->run();
		write_all(1, "pass\n", 5);
		_exit(0);
	}
	(void)close(control[0]);
	(void)close(reports[1]);
	must(fcntl(reports[0], F_SETFL, O_NONBLOCK));
	job->control_fd = control[1];
	job->report_fd = reports[0];
}

/* As a whole or not at all. */
static void write_results(const char *path)
{
	char temporary[64];
	FILE *f;

	format(temporary, sizeof(temporary), "%s.new", path);
	f = fopen(temporary, "we");
	if (!f)
		return;
	for (size_t i = 0; i < n_jobs; i++)
		if (jobs[i].verdict[0] != '\0')
			fprintf(f, "%s\n", jobs[i].verdict);
		else
			fprintf(f, "ready %s\n", jobs[i].program->name);
	if (fclose(f) == 0)
		(void)rename(temporary, path);
}

static void take_signal(int number)
{
	if (number == SIGUSR1)
		told = 1;
}

static void handle_signals(void)
{
	struct sigaction action = { .sa_handler = take_signal, .sa_flags = SA_RESTART };
	sigset_t mine;

	(void)sigemptyset(&mine);
	(void)sigaddset(&mine, SIGUSR1);
	(void)sigaddset(&mine, SIGCHLD);
	must(sigprocmask(SIG_BLOCK, &mine, NULL));
	must(sigaction(SIGUSR1, &action, NULL));
	must(sigaction(SIGCHLD, &action, NULL));
	(void)signal(SIGPIPE, SIG_IGN);
}

static void let_check(void)
{
	for (size_t i = 0; i < n_jobs; i++)
		if (jobs[i].verdict[0] == '\0')
			(void)!write(jobs[i].control_fd, "", 1);
	wait_for_programs(true);
	write_results("/cr/out/results");
}

static int group(size_t n, char **names)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)umask(022);
	handle_signals();
	jobs = calloc(n, sizeof(*jobs));
	(void)mkdir("/cr/work", 0777);
	for (n_jobs = 0; n_jobs < n; n_jobs++) {
		jobs[n_jobs].program = find(names[n_jobs]);
		if (!jobs[n_jobs].program) {
			fprintf(stderr, "programs: there is no program '%s'\n", names[n_jobs]);
			return 1;
		}
		start(&jobs[n_jobs]);
	}
	wait_for_programs(false);
	write_results("/cr/out/ready");
	for (;;) {
		while (!told) {
			(void)sigsuspend(&none);
			reap();
		}
		let_check();
		told = 0;
	}
}

/* Of a program that has executed itself. */
static int run_again(const char *name)
{
	const struct program *program = find(name);

	if (!program)
		return 1;
	program->run();
	write_all(1, "pass\n", 5);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return list();
	if (argc > 2 && strcmp(argv[1], "group") == 0)
		return group((size_t)argc - 2, argv + 2);
	if (argc == 3 && strcmp(argv[1], "run") == 0)
		return run_again(argv[2]);
	fprintf(stderr, "Usage: programs list | group NAME... | run NAME\n");
	return 2;
}
