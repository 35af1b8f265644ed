/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/conmon.h"

#include <ctype.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/json_table.h"
#include "core/proc.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "engine/sdnotify.h"

#define MESSAGE_MAX (64U << 10)
#define OCI_LOG_MAX (1U << 20)

static void add(struct strvec *v, const char *option, const char *value)
{
	if (!value)
		return;
	strvec_add(v, option);
	strvec_add(v, value);
}

static void add_each(struct strvec *to, const char *option, const struct strvec *values)
{
	for (size_t i = 0; values && i < values->n; i++)
		add(to, option, values->v[i]);
}

static void add_log(struct strvec *v, const struct conmon_params *p)
{
	strvec_add(v, "-l");
	if (str_eq(p->log_driver, "k8s-file") || str_eq(p->log_driver, "json-file"))
		/* conmon has no JSON form of its own: as with podman, json-file is k8s-file. */
		strvec_addf(v, "k8s-file:%s", p->log_path);
	else
		strvec_add(v, p->log_driver);
	if (p->log_size_max > 0) {
		strvec_add(v, "--log-size-max");
		strvec_addf(v, "%lld", (long long)p->log_size_max);
	}
	add(v, "--log-tag", p->log_tag);
	if (p->no_sync_log)
		strvec_add(v, "--no-sync-log");
	add(v, "--log-level", p->log_level);
}

static void add_exec(struct strvec *v, const struct conmon_params *p)
{
	if (!p->exec_spec)
		return;
	strvec_add(v, "-e");
	if (p->exec_attach)
		strvec_add(v, "--exec-attach");
	add(v, "--exec-process-spec", p->exec_spec);
}

void conmon_plan(const struct conmon_params *p, struct strvec *v)
{
	strvec_add(v, p->conmon);
	add(v, "--api-version", "1");
	add(v, "-c", p->id);
	add(v, "-u", p->uuid ? p->uuid : p->id);
	add(v, "-r", p->runtime);
	add(v, "-b", p->bundle);
	add(v, "-p", p->pidfile);
	add(v, "-n", p->name);
	add(v, "--exit-dir", p->exit_dir);
	add(v, "--persist-dir", p->persist_dir);
	strvec_add(v, "--full-attach");
	if (p->systemd_cgroup)
		strvec_add(v, "-s");
	add_log(v, p);
	if (p->oci_log) {
		add(v, "--runtime-arg", "--log-format=json");
		add(v, "--runtime-arg", "--log");
		strvec_addf(v, "--runtime-arg=%s", p->oci_log);
	}
	add_each(v, "--runtime-arg", p->runtime_args);
	add(v, "--sdnotify-socket", p->sdnotify_socket);
	if (p->tty)
		strvec_add(v, "-t");
	/* With it, conmon closes the input when who is attached goes. A terminal is there for the next one. */
	if (p->interactive && (!p->tty || p->exec_spec))
		strvec_add(v, "-i");
	if (p->timeout > 0)
		strvec_addf(v, "--timeout=%u", p->timeout);
	add(v, "--conmon-pidfile", p->conmon_pidfile);
	if (p->exit_command && p->exit_command->n > 0) {
		add(v, "--exit-command", p->exit_command->v[0]);
		for (size_t i = 1; i < p->exit_command->n; i++)
			add(v, "--exit-command-arg", p->exit_command->v[i]);
	}
	add_each(v, "--runtime-opt", p->runtime_opts);
	add(v, "--restore", p->restore_path);
	add_exec(v, p);
}

static int open_pipe(int *ret_read, int *ret_write)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

static char **environment(size_t first_fd, bool exec_attach)
{
	struct strvec env = STRVEC_INIT;

	sdnotify_clean_environment(&env);
	strvec_addf(&env, "_OCI_SYNCPIPE=%zu", first_fd);
	strvec_addf(&env, "_OCI_STARTPIPE=%zu", first_fd + 1);
	if (exec_attach)
		strvec_addf(&env, "_OCI_ATTACHPIPE=%zu", first_fd + 2);
	return env.v;
}

static void environment_free(char **env)
{
	for (char **e = env; *e; e++)
		free(*e);
	free(env);
}

int conmon_spawn(struct conmon *ret, const struct strvec *argv, const char *cwd, bool exec_attach,
		 const struct conmon_streams *streams, const struct conmon_cgroup *cgroup,
		 struct err *err)
{
	auto_close int sync_write = -EBADF;
	auto_close int start_read = -EBADF;
	auto_close int attach_write = -EBADF;
	size_t n = streams->n_preserve;
	size_t n_pipes = exec_attach ? 3 : 2;
	auto_free int *fds = xcalloc(n + n_pipes + streams->n_hold + 1, sizeof(*fds));
	char **env = environment(3 + n, exec_attach);
	struct proc proc = PROC_INIT;
	int r = open_pipe(&ret->sync_fd, &sync_write);

	if (r == 0)
		r = open_pipe(&start_read, &ret->start_fd);
	if (r == 0 && exec_attach)
		r = open_pipe(&ret->attach_fd, &attach_write);
	for (size_t i = 0; i < n; i++)
		fds[i] = streams->preserve[i];
	fds[n] = sync_write;
	fds[n + 1] = start_read;
	if (exec_attach)
		fds[n + 2] = attach_write;
	for (size_t i = 0; i < streams->n_hold; i++)
		fds[n + n_pipes + i] = streams->hold[i];
	if (r == 0)
		r = conmon_cgroup_spawn(
			cgroup, &proc,
			&(struct proc_spawn_opts){
				.argv = argv->v,
				.envp = env,
				.cwd = cwd,
				.stdio = { streams->fds[0], streams->fds[1], streams->fds[2] },
				.pass_fds = fds,
				.n_pass_fds = n + n_pipes + streams->n_hold,
			});
	environment_free(env);
	if (r < 0)
		return err_sys(err, r, "start conmon '%s'", argv->v[0]);
	ret->pid = proc.pid;
	return 0;
}

int conmon_go(struct conmon *c, struct err *err)
{
	int r = io_write_pipe(c->start_fd, "\0", 1);

	/* It has gone already; what it has to say of that is in the sync pipe. */
	if (r == -EPIPE)
		return 0;
	return r < 0 ? err_sys(err, r, "tell conmon to go on") : 0;
}

struct sync_message {
	int data;
	int pid; /* older than api-version 1 */
	char *message;
};
JSON_DESC_STATIC(sync_message_desc, struct sync_message,
		 F_INT(struct sync_message, data, "data", 0),
		 F_INT(struct sync_message, pid, "pid", 0),
		 F_STRING(struct sync_message, message, "message", 0));

/* One line, byte by byte: what follows it belongs to the next message. */
static int read_line(int fd, struct strbuf *sb)
{
	for (;;) {
		char c;
		ssize_t n = RETRY_EINTR(read(fd, &c, 1));

		if (n < 0)
			return -errno;
		if (n == 0)
			return sb->len > 0 ? 0 : -EPIPE;
		if (c == '\n')
			return 0;
		if (sb->len == MESSAGE_MAX)
			return -EFBIG;
		strbuf_addc(sb, c);
	}
}

int conmon_receive(int fd, int *ret_data, char **ret_message, struct err *err)
{
	auto_strbuf struct strbuf line = STRBUF_INIT;
	struct sync_message m;
	int r = read_line(fd, &line);

	if (r == -EPIPE)
		return err_set(err, ERR_REMOTE,
			       "conmon ended without a word; its reasons are in "
			       "the system's log");
	if (r < 0)
		return err_sys(err, r, "read what conmon says");
	r = json_decode(&sync_message_desc, &m, line.buf, line.len, "conmon's message", err);
	if (r < 0)
		return r;
	*ret_data = m.data ? m.data : m.pid;
	*ret_message = m.message;
	return 0;
}

void conmon_await_fork(struct conmon *c)
{
	if (c->pid > 0)
		(void)RETRY_EINTR(waitpid(c->pid, NULL, 0));
	c->pid = 0;
}

void conmon_close(struct conmon *c)
{
	close_fd(&c->sync_fd);
	close_fd(&c->start_fd);
	close_fd(&c->attach_fd);
	/* With the pipes closed there is nothing that it would wait for. */
	conmon_await_fork(c);
}

/* --- what the runtime said ------------------------------------------------------------------------ */

struct log_line {
	char *level;
	char *msg;
};
JSON_DESC_STATIC(log_line_desc, struct log_line, F_STRING(struct log_line, level, "level", 0),
		 F_STRING(struct log_line, msg, "msg", 0));

/* The last error of the runtime's log; NULL when it has none. */
static char *last_error(const char *path)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	char *found = NULL;
	char *rest;
	char *line;

	if (!path || io_read_file_at(AT_FDCWD, path, OCI_LOG_MAX, &sb) < 0)
		return NULL;
	rest = sb.buf;
	while ((line = strsep(&rest, "\n"))) {
		struct log_line l;

		if (!*line || json_decode(&log_line_desc, &l, line, strlen(line), path, NULL) < 0)
			continue;
		if (l.msg && (!l.level || str_eq(l.level, "error") || str_eq(l.level, "fatal")))
			replace_ptr(found, take_ptr(l.msg));
		json_done(&log_line_desc, &l);
	}
	return found;
}

static bool says(const char *text, const char *const *phrases)
{
	for (; *phrases; phrases++)
		if (strcasestr(text, *phrases))
			return true;
	return false;
}

/* What runtimes write for people as well: time="..." level=error msg="TEXT". NULL when it is not that form. */
static char *text_of_log_line(const char *text)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	const char *at = text ? strstr(text, " level=error msg=") : NULL;

	if (!at)
		return NULL;
	at += strlen(" level=error msg=");
	if (*at != '"')
		return xstrndup(at, strcspn(at, "\n"));
	for (at++; *at && *at != '"' && *at != '\n'; at++) {
		if (*at == '\\' && at[1])
			at++;
		strbuf_addc(&sb, *at);
	}
	return strbuf_take(&sb);
}

int conmon_runtime_error(const char *oci_log, const char *text, struct err *err)
{
	static const char *const denied[] = { "permission denied", "operation not permitted",
					      NULL };
	static const char *const missing[] = { "executable file not found in",
					       "no such file or directory", "open executable",
					       NULL };
	auto_free char *logged = last_error(oci_log);
	auto_free char *line = logged ? NULL : text_of_log_line(text);
	auto_free char *said = xstrdup(logged ? logged : line ? line : text);
	size_t n;
	int r = -EIO;

	if (!said)
		said = xstrdup("it gave no reason");
	n = strlen(said);
	while (n > 0 && isspace((unsigned char)said[n - 1]))
		said[--n] = '\0';
	/* Scripts look for podman's words at the end. */
	if (says(said, denied))
		r = -EACCES;
	else if (says(said, missing))
		r = -ENOENT;
	(void)err_set(
		err, ERR_REMOTE, "OCI runtime error: %s%s", said,
		r == -EACCES ? ": OCI permission denied" :
		r == -ENOENT ? ": OCI runtime attempted to invoke a command that was not found" :
			       "");
	return r;
}

/* --- attach socket -------------------------------------------------------------------------------- */

/* Through a descriptor of the directory: the path may be longer than a socket's name can be. */
static int connect_once(int dir_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/attach",
		       dir_fd);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return take_fd(fd);
}

int conmon_attach_open(const char *dir, int timeout_ms)
{
	auto_close int dir_fd = fd_open_at(AT_FDCWD, dir, O_PATH | O_DIRECTORY, 0);
	uint64_t deadline = clock_now_monotonic_ns() + (uint64_t)timeout_ms * NSEC_PER_MSEC;

	if (dir_fd < 0)
		return dir_fd;
	for (;;) {
		int fd = connect_once(dir_fd);

		if (fd >= 0 || (fd != -ENOENT && fd != -ECONNREFUSED) ||
		    clock_ms_until(deadline) == 0)
			return fd;
		clock_sleep_ms(1);
	}
}

void conmon_resize(const char *dir, unsigned int rows, unsigned int columns)
{
	auto_free char *path = xasprintf("%s/ctl", dir);
	auto_free char *text = xasprintf("1 %u %u\n", rows, columns);
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_NONBLOCK, 0);

	if (fd >= 0)
		(void)io_write_all(fd, text, strlen(text));
}
