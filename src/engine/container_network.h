/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks of one container (network/network.h), from its configuration to what its record says of them. The
 * namespace is called after the container, so that whatever a crash leaves is found again. The container is locked.
 */
#pragma once

#include "engine/container.h"
#include "network/network.h"
#include "network/status.h"

/* A set-up or the opposite under way in a child, while the caller mounts the root file system. */
struct network_job {
	pid_t pid; /* 0: nothing is under way */
	int result_fd;
};

#define NETWORK_JOB_INIT                                                                           \
	{                                                                                          \
		.result_fd = -EBADF                                                                \
	}

/*
 * Take addresses and ports, write down what is taken, and start the set-up. Nothing for a container that is attached
 * to no network. pid: whose network namespace it is to be; 0: a new one.
 */
int container_network_begin(struct container *c, struct network_job *job, pid_t pid,
			    struct err *err);
/* Whether that has to wait for the runtime, which makes the namespace. */
bool container_network_is_late(const struct container *c);
/* Whether it is attached to networks of which the result is not known yet. */
bool container_network_is_pending(const struct container *c);
/* Wait for it; the record knows the result. To be called after every begin that succeeded. */
int container_network_finish(struct container *c, struct network_job *job, struct err *err);
/* Take everything away that the record speaks of; nothing when that is nothing. In two steps, like the set-up: the
 * kernel takes its time to end interfaces. */
int container_network_teardown_begin(const struct container *c, struct network_job *job,
				     struct err *err);
int container_network_teardown_finish(struct container *c, struct network_job *job,
				      struct err *err);
/* Both steps in one, for a container that has no record any more. What cannot be taken away stays in its status. */
int container_network_take_down(struct container *c, struct err *err);
/* Nothing is set up any more, the record is to say. */
void container_network_forget(struct container_status *status);
/* What is attached at the moment; the caller frees it. Empty when nothing is. */
void container_network_status(const struct container *c, struct network_status *ret);

/* What the functions of network/network.h work with; run_dir comes from the first and is the caller's. */
char *container_network_run_dir(const struct container *c);
struct network_env container_network_env(const struct container *c, const char *run_dir);
/* The addresses of --dns, appended. */
void container_network_servers(const struct container *c, struct strvec *ret);

/*
 * Attach a container to one more network, now if it runs and at every later start; and detach it. The
 * container is locked. ERR_STATE when it has no networks of its own (--network none, host ...), ERR_EXISTS
 * when it is attached already, ERR_NOT_FOUND when it is not.
 */
int container_connect(struct container *c, const struct network_attachment *attachment,
		      struct err *err);
int container_disconnect(struct container *c, const char *network, struct err *err);
/* Make what a flushed firewall has lost anew, for a running container. */
int container_network_reload(struct container *c, struct err *err);
