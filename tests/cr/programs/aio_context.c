/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/aio_abi.h>
#include <sys/syscall.h>

#include "test.h"

/* Asynchronous input and output of the kernel's old kind; the ring is where it was and works. */
static void run(void)
{
	aio_context_t context = 0;
	struct iocb request = { 0 };
	struct iocb *requests[] = { &request };
	struct io_event event;
	char buffer[16] = "";

	if (syscall(SYS_io_setup, 8, &context) < 0)
		skip("there is no asynchronous I/O here: %s", strerror(errno));
	write_file("file", "content");
	request.aio_fildes = (uint32_t)open_file("file", O_RDONLY);
	request.aio_lio_opcode = IOCB_CMD_PREAD;
	request.aio_buf = (uint64_t)(uintptr_t)buffer;
	request.aio_nbytes = 7;
	request.aio_data = 99;
	must(syscall(SYS_io_submit, context, 1, requests));
	must(syscall(SYS_io_getevents, context, 1, 1, &event, NULL));
	memset(buffer, 0, sizeof(buffer));
	wait_for_restore();
	must(syscall(SYS_io_submit, context, 1, requests));
	must(syscall(SYS_io_getevents, context, 1, 1, &event, NULL));
	check(event.data == 99 && event.res == 7 && strcmp(buffer, "content") == 0,
	      "a request gives %lld, '%s'", (long long)event.res, buffer);
	must(syscall(SYS_io_destroy, context));
}
PROGRAM(aio_context, run, .subject = "asynchronous I/O (io_setup) without requests in progress")
