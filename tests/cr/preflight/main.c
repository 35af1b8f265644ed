/* SPDX-License-Identifier: Apache-2.0 */
#include "situation.h"

#include <time.h>

/* The linker's names for the ends of the section that SITUATION() fills. */
extern const struct situation *const __start_situations[];
extern const struct situation *const __stop_situations[];

/* 77: this machine cannot do it. Anything else is the program's fault. */
void give_up(const char *what)
{
	int e = errno;
	bool unable = e == ENOSYS || e == EOPNOTSUPP || e == EAFNOSUPPORT || e == ENODEV ||
		      e == ENXIO || e == EPROTONOSUPPORT || e == ENOENT;

	printf("%s: %s: %s\n", unable ? "skip" : "failed", what, strerror(e));
	fflush(stdout);
	exit(unable ? 77 : 1);
}

void sleep_ms(unsigned int ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

void stay(void)
{
	for (;;)
		sleep_ms(50);
}

int make_file(const char *name, size_t size)
{
	static char block[65536];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/data/%s", name);
	fd = must(open(path, O_RDWR | O_CREAT | O_TRUNC, 0644));
	memset(block, 'x', sizeof(block));
	while (size > 0) {
		size_t n = size < sizeof(block) ? size : sizeof(block);

		must(write(fd, block, n));
		size -= n;
	}
	return fd;
}

pid_t start(void (*make)(void))
{
	pid_t pid = must(fork());

	if (pid > 0)
		return pid;
	make();
	stay();
}

static void print(const struct situation *s)
{
	printf("%s\t%s\t%s\t%s\n", s->name, s->check ? s->check : "-", s->option ? s->option : "-",
	       s->really ? s->really :
	       s->check	 ? "fails" :
			   "works");
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 3) {
		fprintf(stderr, "Usage: situations list | serve DIRECTORY | NAME\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3)
		serve(argv[2]);
	for (const struct situation *const *s = __start_situations; s < __stop_situations; s++) {
		if (strcmp(argv[1], "list") == 0) {
			print(*s);
		} else if (strcmp(argv[1], (*s)->name) == 0) {
			(*s)->make();
			puts("ready");
			stay();
		}
	}
	if (strcmp(argv[1], "list") == 0)
		return 0;
	fprintf(stderr, "situations: no '%s'\n", argv[1]);
	return 2;
}
