/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_network.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/containers_conf.h"
#include "engine/network_later.h"
#include "network/netns.h"

#define RESULT_MAX (4U << 20)

/* Behind it the status as text, or a struct err. */
enum result_kind { RESULT_STATUS = 'S', RESULT_FAILURE = 'E' };

/* Borrows from the container; run_dir is the caller's. */
struct network_env container_network_env(const struct container *c, const char *run_dir)
{
	const struct engine *e = c->engine;

	return (struct network_env){
		.backend = e->network_backend,
		.dir = e->network_dir,
		.run_dir = run_dir,
		.netavark = e->netavark,
		.netavark_plugin_dirs = e->conf->network.netavark_plugin_dirs,
		.n_netavark_plugin_dirs = e->conf->network.n_netavark_plugin_dirs,
		.cni = { .config_dir = e->network_config_dir,
			 .cache_dir = CNI_CACHE_DIR,
			 .plugin_path = e->cni_path,
			 .defaults = &e->network_dir },
	};
}

char *container_network_run_dir(const struct container *c)
{
	return path_join(c->engine->runroot, "networks");
}

void container_network_servers(const struct container *c, struct strvec *ret)
{
	/* "none" is about resolv.conf. */
	for (size_t i = 0; i < c->config.n_dns; i++)
		if (!str_eq(c->config.dns[i], "none"))
			strvec_add(ret, c->config.dns[i]);
}

/* --hostname is a name of the container on its networks, too. */
static void add_hostname(struct network_attachment *a, const char *hostname)
{
	if (str_is_empty(hostname) || network_name_check(hostname, NULL) < 0)
		return;
	for (size_t i = 0; i < a->n_aliases; i++)
		if (str_eq(a->aliases[i], hostname))
			return;
	json_strings_add(&a->aliases, &a->n_aliases, hostname);
}

/* What the record says is attached, as the backend wants it; borrows everything but the lists. */
static void make_request(const struct container *c, const struct network_attachment *attachments,
			 size_t n_attachments, const struct network_port *ports, size_t n_ports,
			 struct network_request *ret)
{
	*ret = (struct network_request){
		.container_id = c->config.id,
		.container_name = c->config.name,
		.hostname = c->config.hostname,
	};
	for (size_t i = 0; i < n_attachments; i++)
		network_attachment_copy(array_push(ret->attachments, ret->n_attachments),
					&attachments[i]);
	for (size_t i = 0; i < n_attachments; i++)
		add_hostname(&ret->attachments[i], c->config.hostname);
	network_ports_copy(&ret->ports, &(struct network_ports){
						(struct network_port *)(uintptr_t)ports, n_ports });
	container_network_servers(c, &ret->dns_servers);
}

void container_network_forget(struct container_status *s)
{
	for (size_t i = 0; i < s->n_attachments; i++)
		network_attachment_done(&s->attachments[i]);
	free(s->attachments);
	s->attachments = NULL;
	s->n_attachments = 0;
	for (size_t i = 0; i < s->n_networks; i++)
		network_done(&s->networks[i]);
	free(s->networks);
	s->networks = NULL;
	s->n_networks = 0;
	network_ports_done(&(struct network_ports){ s->ports, s->n_ports });
	s->ports = NULL;
	s->n_ports = 0;
	replace_ptr(s->netns, NULL);
	(void)json_object_put(s->network);
	s->network = NULL;
}

/* ---- the child ---- */

static void write_result(int fd, enum result_kind kind, const void *data, size_t len)
{
	char first = (char)kind;

	if (io_write_all(fd, &first, 1) < 0 || io_write_all(fd, data, len) < 0)
		_exit(1);
}

struct work {
	const struct network_env *env;
	const struct network_request *request;
	const char *netns;
	pid_t pid; /* set up: of the process whose namespace it is; 0: a new one */
	bool teardown;
};

static int set_up(const struct work *w, char **ret_text, struct err *err)
{
	struct network_status status = NETWORK_STATUS_INIT;
	int r = w->pid > 0 ? netns_keep(w->netns, w->pid, err) : netns_create(w->netns, err);

	if (r == 0)
		r = network_setup(w->env, w->request, w->netns, &status, err);
	if (r == 0)
		*ret_text = network_status_format(&status);
	return r;
}

static _Noreturn void run_child(const struct work *w, int fd)
{
	struct err err = ERR_INIT;
	char *text = NULL;
	int r = w->teardown ? network_teardown(w->env, w->request, w->netns, &err) :
			      set_up(w, &text, &err);

	if (r < 0)
		write_result(fd, RESULT_FAILURE, &err, sizeof(err));
	else
		write_result(fd, RESULT_STATUS, text ? text : "", text ? strlen(text) : 0);
	_exit(0);
}

static int start_child(const struct work *w, struct network_job *job, struct err *err)
{
	auto_close int fd = io_memory_file("floe-network", NULL);

	if (fd < 0)
		return err_sys(err, fd, "make a memory file");
	job->pid = fork();
	if (job->pid == 0)
		run_child(w, fd);
	if (job->pid < 0) {
		job->pid = 0;
		return err_sys(err, -errno, "fork");
	}
	job->result_fd = take_fd(fd);
	return 0;
}

/* ---- the parent ---- */

bool container_network_is_late(const struct container *c)
{
	return c->config.n_networks > 0 && c->config.n_uid_maps > 0;
}

bool container_network_is_pending(const struct container *c)
{
	return c->config.n_networks > 0 && !c->status.network;
}

int container_network_begin(struct container *c, struct network_job *job, pid_t pid,
			    struct err *err)
{
	auto_network_request struct network_request request = NETWORK_REQUEST_INIT;
	auto_free char *name = xasprintf("floe-%s", c->config.id);
	auto_free char *run_dir = container_network_run_dir(c);
	struct network_env env = container_network_env(c, run_dir);
	struct container_status *s = &c->status;
	struct work w = { .env = &env, .request = &request, .pid = pid };
	int r;

	if (c->config.n_networks == 0)
		return 0;
	make_request(c, c->config.networks, c->config.n_networks, c->config.ports,
		     c->config.n_ports, &request);
	r = network_later_allocate(c->engine, &env, &request, err);
	if (r < 0)
		return r;
	container_network_forget(s);
	s->netns = netns_path(name);
	w.netns = s->netns;
	for (size_t i = 0; i < request.n_attachments; i++)
		network_attachment_copy(array_push(s->attachments, s->n_attachments),
					&request.attachments[i]);
	for (size_t i = 0; i < request.n_networks; i++)
		network_copy(array_push(s->networks, s->n_networks), &request.networks[i]);
	for (size_t i = 0; i < request.ports.n; i++)
		*array_push(s->ports, s->n_ports) = request.ports.v[i];
	/* The strings are the record's now. */
	free(request.ports.v);
	request.ports = (struct network_ports)NETWORK_PORTS_INIT;
	network_ports_copy(&request.ports, &(struct network_ports){ s->ports, s->n_ports });
	r = container_save(c, err);
	return r < 0 ? r : start_child(&w, job, err);
}

/* Wait for the child: its text, owned by the caller, or its error. */
static int take_result(struct network_job *job, char **ret_text, struct err *err)
{
	auto_close int fd = take_fd(job->result_fd);
	auto_strbuf struct strbuf result = STRBUF_INIT;
	struct err failure;
	int r;

	job->result_fd = -EBADF;
	(void)RETRY_EINTR(waitpid(job->pid, NULL, 0));
	job->pid = 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, -errno, "read the network's result");
	r = io_read_all(fd, RESULT_MAX, &result);
	if (r < 0)
		return err_sys(err, r, "read the network's result");
	if (result.len == 1 + sizeof(failure) && result.buf[0] == RESULT_FAILURE) {
		(void)memcpy(&failure, result.buf + 1, sizeof(failure));
		if (err)
			*err = failure;
		return failure.code < 0 ? failure.code : -EIO;
	}
	if (result.len < 1 || result.buf[0] != RESULT_STATUS)
		return err_set(err, ERR_INTERNAL, "the network's child said nothing");
	*ret_text = xstrdup(result.buf + 1);
	return 0;
}

static int keep_status(struct container *c, const char *text, struct err *err)
{
	c->status.network = json_tokener_parse(text);
	return c->status.network ? container_save(c, err) :
				   err_set(err, ERR_INTERNAL, "set up the network: no result");
}

/* The set-up has undone what it did; what was taken for it is left. */
static void take_back(struct container *c)
{
	auto_network_request struct network_request request = NETWORK_REQUEST_INIT;
	auto_free char *run_dir = container_network_run_dir(c);
	struct network_env env = container_network_env(c, run_dir);
	const struct container_status *s = &c->status;

	make_request(c, s->attachments, s->n_attachments, s->ports, s->n_ports, &request);
	for (size_t i = 0; i < s->n_networks; i++)
		network_copy(array_push(request.networks, request.n_networks), &s->networks[i]);
	if (netns_remove(s->netns, NULL) < 0 || network_release(&env, &request, NULL) < 0)
		return; /* the cleanup tries again, and says why not */
	container_network_forget(&c->status);
	(void)container_save(c, NULL);
}

int container_network_finish(struct container *c, struct network_job *job, struct err *err)
{
	auto_free char *text = NULL;
	int r;

	if (job->pid == 0)
		return 0;
	r = take_result(job, &text, err);
	if (r == 0)
		r = keep_status(c, text, err);
	if (r < 0)
		take_back(c);
	return r;
}

int container_network_teardown_begin(const struct container *c, struct network_job *job,
				     struct err *err)
{
	auto_network_request struct network_request request = NETWORK_REQUEST_INIT;
	auto_free char *run_dir = container_network_run_dir(c);
	struct network_env env = container_network_env(c, run_dir);
	const struct container_status *s = &c->status;

	if (!s->netns)
		return 0;
	make_request(c, s->attachments, s->n_attachments, s->ports, s->n_ports, &request);
	for (size_t i = 0; i < s->n_networks; i++)
		network_copy(array_push(request.networks, request.n_networks), &s->networks[i]);
	return start_child(
		&(struct work){
			.env = &env, .request = &request, .netns = s->netns, .teardown = true },
		job, err);
}

int container_network_teardown_finish(struct container *c, struct network_job *job, struct err *err)
{
	auto_free char *text = NULL;
	struct err later = ERR_INIT;
	int r;
	int r2;

	if (job->pid == 0)
		return 0;
	r = take_result(job, &text, err);
	r2 = netns_remove(c->status.netns, r < 0 ? &later : err);
	/* A namespace that cannot be removed is tried again; all else has been given back. */
	if (r2 == 0) {
		container_network_forget(&c->status);
		r2 = container_save(c, r < 0 ? &later : err);
	}
	return r < 0 ? r : r2;
}

int container_network_take_down(struct container *c, struct err *err)
{
	auto_network_request struct network_request request = NETWORK_REQUEST_INIT;
	auto_free char *run_dir = container_network_run_dir(c);
	struct network_env env = container_network_env(c, run_dir);
	const struct container_status *s = &c->status;
	struct err next = ERR_INIT;
	bool is_there = str_eq(s->boot_id, container_boot_id());
	int r;
	int r2;

	if (!s->netns)
		return 0;
	make_request(c, s->attachments, s->n_attachments, s->ports, s->n_ports, &request);
	for (size_t i = 0; i < s->n_networks; i++)
		network_copy(array_push(request.networks, request.n_networks), &s->networks[i]);
	/* A restart of the machine has left the addresses at most. */
	r = is_there ? network_teardown(&env, &request, s->netns, err) :
		       network_release(&env, &request, err);
	r2 = netns_remove(s->netns, r < 0 ? &next : err);
	if (r2 == 0)
		container_network_forget(&c->status);
	return r < 0 ? r : r2;
}

void container_network_status(const struct container *c, struct network_status *ret)
{
	const char *text =
		c->status.network ?
			json_object_to_json_string_ext(c->status.network, JSON_C_TO_STRING_PLAIN) :
			NULL;

	*ret = (struct network_status)NETWORK_STATUS_INIT;
	if (text)
		(void)network_status_parse(ret, text, strlen(text), "record of the network", NULL);
}
