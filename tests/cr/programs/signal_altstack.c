/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static unsigned char *stack;
static size_t size;
static volatile sig_atomic_t on_it;

static void on_signal(int number)
{
	unsigned char here;

	(void)number;
	on_it = &here >= stack && &here < stack + size;
}

static void run(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
	stack_t alternative = { 0 };
	stack_t now;

	size = (size_t)sysconf(_SC_SIGSTKSZ) + 65536;
	stack = map_anonymous(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	alternative.ss_sp = stack;
	alternative.ss_size = size;
	must(sigaltstack(&alternative, NULL));
	must(sigaction(SIGUSR1, &action, NULL));
	wait_for_restore();
	must(sigaltstack(NULL, &now));
	check(now.ss_sp == stack && now.ss_size == size && (now.ss_flags & SS_DISABLE) == 0,
	      "the alternative stack has changed");
	must(raise(SIGUSR1));
	check(on_it == 1, "the handler does not run on the alternative stack");
}
PROGRAM(signal_altstack, run, .subject = "alternative signal stacks")
