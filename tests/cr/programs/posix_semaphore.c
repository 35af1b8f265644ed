/* SPDX-License-Identifier: Apache-2.0 */
#include <semaphore.h>

#include "test.h"

/* The C library maps the semaphore under another name first. */
static void run(void)
{
	sem_t *semaphore = sem_open("/posix_semaphore", O_CREAT | O_EXCL, 0600, 3);
	int value;

	check(semaphore != SEM_FAILED, "sem_open: %s", strerror(errno));
	must(sem_wait(semaphore));
	wait_for_restore();
	must(sem_getvalue(semaphore, &value));
	check(value == 2, "the semaphore is %d", value);
	must(sem_post(sem_open("/posix_semaphore", 0)));
	must(sem_getvalue(semaphore, &value));
	check(value == 3, "the semaphore of that name is another");
	must(sem_unlink("/posix_semaphore"));
}
PROGRAM(posix_semaphore, run,
	.subject = "named POSIX semaphores, in the process that has made them",
	.options = "--link-remap")
