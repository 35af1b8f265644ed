/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>

#include "test.h"

static sigjmp_buf env;

static void on_fault(int signal)
{
	siglongjmp(env, signal);
}

/* Return: whether the access raises SIGSEGV */
static bool faults(volatile unsigned char *p, bool to_write)
{
	if (sigsetjmp(env, 1) != 0)
		return true;
	if (to_write)
		*p = 1;
	else
		(void)*p;
	return false;
}

#if defined(__x86_64__)
static const unsigned char return_42[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
#elif defined(__aarch64__)
static const unsigned char return_42[] = { 0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6 };
#else
static const unsigned char return_42[] = { 0 };
#endif

static void check_code(const void *p)
{
	int (*function)(void);

	if (sizeof(return_42) == 1)
		return;
	memcpy(&function, &p, sizeof(function));
	check(function() == 42, "code in memory does not run any more");
}

static void run(void)
{
	size_t page = page_size();
	unsigned char *p = map_anonymous(5 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *none = p + page;
	unsigned char *readonly = p + 2 * page;
	unsigned char *code = p + 3 * page;

	fill(p, 3 * page, 1);
	memcpy(code, return_42, sizeof(return_42));
	__builtin___clear_cache((char *)code, (char *)code + page);
	must(mprotect(none, page, PROT_NONE));
	must(mprotect(readonly, page, PROT_READ));
	must(mprotect(code, page, PROT_READ | PROT_EXEC));
	check_code(code);
	wait_for_restore();

	(void)signal(SIGSEGV, on_fault);
	check(!faults(p, true), "a writable page is not writable any more");
	check(faults(none, false), "a page without rights has become readable");
	check(!faults(readonly, false), "a read-only page is not readable any more");
	check(faults(readonly, true), "a read-only page has become writable");
	check(faults(code, true), "a page of code has become writable");
	check_code(code);
	must(mprotect(none, page, PROT_READ));
	fill(p, page, 1);
	check(is_filled(p, 3 * page, 1), "the content has changed");
}
PROGRAM(mem_protection, run, .subject = "read-only, inaccessible and executable memory")
