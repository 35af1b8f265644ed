/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sdnotify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/str.h"

extern char **environ;

static const char *notify_socket(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return str_is_empty(path) ? NULL : path;
}

static bool is_container(const struct container_config *config)
{
	return !config->sdnotify || str_eq(config->sdnotify, "container");
}

const char *sdnotify_proxied(const struct container_config *config)
{
	return is_container(config) ? notify_socket() : NULL;
}

void sdnotify_clean_environment(struct strvec *ret)
{
	for (char **e = environ; *e; e++)
		if (!str_has_prefix(*e, "_OCI_") && !str_has_prefix(*e, "NOTIFY_SOCKET="))
			strvec_add(ret, *e);
}

static int send_to(const char *path, const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t len = strlen(path);

	if (fd < 0)
		return -errno;
	if (len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	(void)memcpy(address.sun_path, path, len);
	/* A name without a file, which is written with an @. */
	if (address.sun_path[0] == '@')
		address.sun_path[0] = '\0';
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return -errno;
	return 0;
}

void sdnotify_started(const struct container *c)
{
	const char *path = notify_socket();
	auto_free char *text = NULL;
	int r;

	if (!path || str_eq(c->config.sdnotify, "ignore"))
		return;
	text = xasprintf("MAINPID=%d%s", c->status.conmon_pid,
			 is_container(&c->config) ? "" : "\nREADY=1");
	r = send_to(path, text);
	if (r < 0)
		log_warning("tell the service manager at '%s' about container '%s': %s", path,
			    c->config.name, errno_text(r));
}
