/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <poll.h>
#include <stdarg.h>
#include <sys/wait.h>

#define CONTROL_FD 0
#define REPORT_FD 1

/* ---- what is reported ---- */

/* One write, so that the lines of several processes do not mix. */
static void report(const char *verdict, const char *text, va_list arguments)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "%s: ", verdict);
	int m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, text, arguments);
	size_t length = (size_t)n + (size_t)(m < 0 ? 0 : m);

	if (length > sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length] = '\n';
	(void)!write(REPORT_FD, line, length + 1);
}

void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report("fail", format, arguments);
	va_end(arguments);
	_exit(1);
}

void skip(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report("skip", format, arguments);
	va_end(arguments);
	_exit(0);
}

void report_ready(void)
{
	write_all(REPORT_FD, "ready\n", 6);
}

bool is_restored(void)
{
	struct pollfd pfd = { .fd = CONTROL_FD, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

void wait_for_restore(void)
{
	char byte;

	report_ready();
	check(read_all(CONTROL_FD, &byte, 1) == 1, "process 1 has closed the control pipe");
}

long must_succeed(long result, const char *call)
{
	if (result < 0)
		fail("%s: %s", call, strerror(errno));
	return result;
}

void must_be_zero(int error, const char *call)
{
	if (error != 0)
		fail("%s: %s", call, strerror(error));
}

void must_fail_with(long result, int error, const char *call)
{
	if (result >= 0)
		fail("%s: has not failed", call);
	if (errno != error)
		fail("%s: %s", call, strerror(errno));
}

/* ---- processes ---- */

pid_t spawn(void (*function)(void *argument), void *argument)
{
	pid_t pid = (pid_t)must(fork());

	if (pid > 0)
		return pid;
	function(argument);
	_exit(0);
}

void must_end(pid_t pid, int code)
{
	int status = 0;
	pid_t r;

	do {
		r = waitpid(pid, &status, 0);
	} while (r < 0 && errno == EINTR);
	check(r == pid, "wait for process %d: %s", pid, strerror(errno));
	if (code >= 0)
		check(WIFEXITED(status) && WEXITSTATUS(status) == code,
		      "process %d ended with status %#x instead of exit code %d", pid,
		      (unsigned)status, code);
	else
		check(WIFSIGNALED(status) && WTERMSIG(status) == -code,
		      "process %d ended with status %#x instead of by signal %d", pid,
		      (unsigned)status, -code);
}

void must_sleep(pid_t pid)
{
	char path[64];
	char state[32] = "";

	format(path, sizeof(path), "/proc/%d/status", pid);
	for (int i = 0; i < 2000 && state[0] != 'S'; i++) {
		sleep_ms(5);
		(void)read_field(path, "State", state, sizeof(state));
	}
	check(state[0] == 'S', "process %d does not sleep: %s", pid, state);
}

static void idle(void *argument)
{
	(void)argument;
	for (;;)
		(void)pause();
}

pid_t spawn_idle(void)
{
	return spawn(idle, NULL);
}

void kill_child(pid_t pid)
{
	must(kill(pid, SIGKILL));
	must_end(pid, -SIGKILL);
}

void gate_init(struct gate *gate)
{
	must(pipe(gate->fds));
}

void gate_open(struct gate *gate)
{
	write_all(gate->fds[1], "", 1);
}

void gate_wait(struct gate *gate)
{
	char byte;

	check(read_all(gate->fds[0], &byte, 1) == 1, "the other side of a gate has ended");
}

/* ---- memory, files, time ---- */

void *map_file(size_t size, int prot, int flags, int fd)
{
	void *p = mmap(NULL, size, prot, flags, fd, 0);

	check(p != MAP_FAILED, "mmap: %s", strerror(errno));
	return p;
}

void *map_anonymous(size_t size, int prot, int flags)
{
	return map_file(size, prot, flags | MAP_ANONYMOUS, -1);
}

static uint64_t pattern(uint64_t seed, size_t place)
{
	uint64_t x = (seed << 32 ^ place) * 0x9e3779b97f4a7c15u;

	return x ^ x >> 29;
}

void fill(void *memory, size_t size, uint64_t seed)
{
	unsigned char *p = memory;

	for (size_t i = 0; i < size; i += 8) {
		uint64_t word = pattern(seed, i);

		memcpy(p + i, &word, size - i < 8 ? size - i : 8);
	}
}

bool is_filled(const void *memory, size_t size, uint64_t seed)
{
	const unsigned char *p = memory;

	for (size_t i = 0; i < size; i += 8) {
		uint64_t word = pattern(seed, i);

		if (memcmp(p + i, &word, size - i < 8 ? size - i : 8) != 0)
			return false;
	}
	return true;
}

bool is_zero(const void *memory, size_t size)
{
	const unsigned char *p = memory;

	for (size_t i = 0; i < size; i++)
		if (p[i] != 0)
			return false;
	return true;
}

size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void write_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		check(n > 0, "write to descriptor %d: %s", fd, strerror(errno));
		p += n;
		size -= (size_t)n;
	}
}

size_t read_all(int fd, void *data, size_t size)
{
	char *p = data;
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, p + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		check(n >= 0, "read from descriptor %d: %s", fd, strerror(errno));
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return done;
}

void must_read(int fd, const char *text)
{
	char buffer[256];
	size_t size = strlen(text);
	size_t n;

	check(size < sizeof(buffer), "a text of %zu bytes is too long", size);
	n = read_all(fd, buffer, size);
	check(n == size && memcmp(buffer, text, size) == 0,
	      "read '%.*s' from descriptor %d instead of '%s'", (int)n, buffer, fd, text);
}

int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	check(fd >= 0, "open '%s': %s", path, strerror(errno));
	return fd;
}

void write_file(const char *path, const char *text)
{
	int fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);

	write_all(fd, text, strlen(text));
	must(close(fd));
}

ssize_t read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n;

	if (fd < 0)
		return -1;
	n = read_all(fd, buffer, size - 1);
	buffer[n] = '\0';
	must(close(fd));
	return (ssize_t)n;
}

bool read_field(const char *path, const char *key, char *buffer, size_t size)
{
	size_t length = strlen(key);
	char line[1024];
	bool found = false;
	FILE *f = fopen(path, "re");

	check(f, "open '%s': %s", path, strerror(errno));
	while (!found && fgets(line, sizeof(line), f)) {
		const char *value = line + length + 1;

		if (strncmp(line, key, length) != 0 || line[length] != ':')
			continue;
		value += strspn(value, " \t");
		format(buffer, size, "%.*s", (int)strcspn(value, "\n"), value);
		found = true;
	}
	(void)fclose(f);
	return found;
}

bool has_vm_flag(const void *address, const char *flag)
{
	char line[512];
	char word[8];
	bool inside = false;
	bool found = false;
	FILE *f = fopen("/proc/self/smaps", "re");

	check(f, "open smaps: %s", strerror(errno));
	format(word, sizeof(word), " %s ", flag);
	while (fgets(line, sizeof(line), f)) {
		char *end;
		uintptr_t from = strtoul(line, &end, 16);

		if (*end == '-') {
			uintptr_t to = strtoul(end + 1, NULL, 16);

			inside = from <= (uintptr_t)address && (uintptr_t)address < to;
		} else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
			found = strstr(line, word) != NULL;
		}
	}
	(void)fclose(f);
	return found;
}

void format(char *buffer, size_t size, const char *text, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, text);
	n = vsnprintf(buffer, size, text, arguments);
	va_end(arguments);
	check(n >= 0 && (size_t)n < size, "a buffer of %zu bytes is too small", size);
}

int64_t now_ms(clockid_t clock)
{
	struct timespec ts;

	must(clock_gettime(clock, &ts));
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void sleep_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

bool becomes_true(volatile int *flag)
{
	for (int i = 0; i < 2000; i++) {
		if (__atomic_load_n(flag, __ATOMIC_ACQUIRE))
			return true;
		sleep_ms(5);
	}
	return false;
}
