/* SPDX-License-Identifier: Apache-2.0 */
#include <mqueue.h>

#include "test.h"

static void run(void)
{
	struct mq_attr attributes = { .mq_maxmsg = 5, .mq_msgsize = 64 };
	mqd_t queue = mq_open("/posix_mq", O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attributes);
	unsigned priority;
	char text[64];

	must(queue);
	must(mq_send(queue, "low", 3, 1));
	must(mq_send(queue, "high", 4, 9));
	wait_for_restore();
	check(mq_receive(queue, text, sizeof(text), &priority) == 4 && priority == 9,
	      "the first message is lost");
	check(mq_receive(queue, text, sizeof(text), &priority) == 3 && priority == 1,
	      "the second message is lost");
	must(mq_unlink("/posix_mq"));
}
PROGRAM(posix_mq, run, .subject = "open POSIX message queues", .refused = "'/posix_mq'")
