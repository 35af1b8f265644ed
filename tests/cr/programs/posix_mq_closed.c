/* SPDX-License-Identifier: Apache-2.0 */
#include <mqueue.h>

#include "test.h"

/* A queue that nobody has open. */
static void run(void)
{
	struct mq_attr attributes = { .mq_maxmsg = 5, .mq_msgsize = 64 };
	mqd_t queue = mq_open("/posix_mq_closed", O_RDWR | O_CREAT, 0600, &attributes);
	char text[64];

	must(queue);
	must(mq_send(queue, "low", 3, 1));
	must(mq_close(queue));
	wait_for_restore();
	queue = mq_open("/posix_mq_closed", O_RDWR | O_NONBLOCK);
	check(queue >= 0, "the queue is gone: %s", strerror(errno));
	check(mq_receive(queue, text, sizeof(text), NULL) == 3, "the message is lost");
	must(mq_unlink("/posix_mq_closed"));
}
PROGRAM(posix_mq_closed, run, .subject = "POSIX message queues that are not open",
	.refused = "there are POSIX message queues in '/dev/mqueue', which CRIU cannot keep")
