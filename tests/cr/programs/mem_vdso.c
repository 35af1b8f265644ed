/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>

/* The clocks of the vDSO must be those of the system calls, from the address that was known before. */
static void check_clock(clockid_t clock)
{
	struct timespec fast;
	struct timespec slow[2];
	int64_t t[3];

	must(syscall(SYS_clock_gettime, clock, &slow[0]));
	must(clock_gettime(clock, &fast));
	must(syscall(SYS_clock_gettime, clock, &slow[1]));
	t[0] = slow[0].tv_sec * 1000000000 + slow[0].tv_nsec;
	t[1] = fast.tv_sec * 1000000000 + fast.tv_nsec;
	t[2] = slow[1].tv_sec * 1000000000 + slow[1].tv_nsec;
	/* The coarse clocks go in steps of up to 10 ms. */
	check(t[0] - 20000000 <= t[1] && t[1] <= t[2] + 20000000,
	      "the vDSO's clock %d is %lld ns off", (int)clock, (long long)(t[1] - t[0]));
}

static void run(void)
{
	const char *elf = (const char *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	int64_t before = now_ms(CLOCK_MONOTONIC);
	struct timeval tv;

	check(elf && memcmp(elf, "\177ELF", 4) == 0, "there is no vDSO");
	wait_for_restore();
	for (int i = 0; i < 100; i++) {
		check_clock(CLOCK_REALTIME);
		check_clock(CLOCK_MONOTONIC);
		check_clock(CLOCK_MONOTONIC_COARSE);
		check_clock(CLOCK_BOOTTIME);
	}
	must(gettimeofday(&tv, NULL));
	check(llabs(tv.tv_sec - (long long)time(NULL)) <= 1, "gettimeofday() and time() differ");
	check(now_ms(CLOCK_MONOTONIC) >= before, "the monotonic clock has gone back");
	check((uintptr_t)elf == getauxval(AT_SYSINFO_EHDR) && memcmp(elf, "\177ELF", 4) == 0,
	      "the vDSO is not where it was");
}
PROGRAM(mem_vdso, run, .subject = "the kernel's clock page (vDSO)")
