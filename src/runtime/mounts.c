/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts of a container that exists (crun's command `mounts`).
 *
 * Sources are opened here, on the host, as detached clones. A child then joins the container's user and
 * mount namespaces, as an exec does, and attaches them by descriptor, with the same executor as init. It
 * takes the host's root back as its own: a mount namespace need not be that of one's root, and so /proc
 * and whatever else is looked up by a path stays the host's; only ctx.root is of the container.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/msg.h"
#include "core/path.h"
#include "core/str.h"
#include "kernel/proc_root.h"
#include "runtime/container.h"
#include "runtime/init/handshake.h"
#include "runtime/mount/exec.h"
#include "runtime/operations.h"
#include "spec/validate.h"

struct change {
	struct container c;
	struct runtime_spec document; /* the file; its mounts count */
	struct mount_plan plan; /* of these, for `add` */
	int *sources;
	int user_ns_fd; /* -EBADF: the container has none of its own */
	int mount_ns_fd;
};

static void change_init(struct change *change)
{
	*change = (struct change){ .c = CONTAINER_INIT,
				   .plan = MOUNT_PLAN_INIT,
				   .user_ns_fd = -EBADF,
				   .mount_ns_fd = -EBADF };
}

static void change_done(struct change *change)
{
	for (size_t i = 0; change->sources && i < change->plan.n_sources; i++)
		close_fd(&change->sources[i]);
	free(change->sources);
	mount_plan_done(&change->plan);
	runtime_spec_done(&change->document);
	container_close(&change->c);
	close_fd(&change->user_ns_fd);
	close_fd(&change->mount_ns_fd);
}

/* ---- in the child ---- */

static int become_root_of(int user_ns_fd, struct err *err)
{
	if (user_ns_fd < 0)
		return 0;
	if (setns(user_ns_fd, CLONE_NEWUSER) < 0)
		return err_sys(err, -errno, "join the container's user namespace");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(err, -errno, "become root of the container's user namespace");
	return 0;
}

/* On success *ret_root is "/" of the container. */
static int enter(const struct change *change, struct rooted *ret_root, struct err *err)
{
	auto_close int host_fd = fd_open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	int fd;
	int r = host_fd < 0 ? err_sys(err, host_fd, "open '/'") : 0;

	if (r == 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		r = err_sys(err, -errno, "become undumpable");
	if (r == 0)
		r = become_root_of(change->user_ns_fd, err);
	if (r < 0)
		return r;
	if (setns(change->mount_ns_fd, CLONE_NEWNS) < 0)
		return err_sys(err, -errno, "join the container's mount namespace");
	fd = fd_open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return err_sys(err, fd, "open the container's '/'");
	rooted_from_fd(ret_root, fd);
	if (fchdir(host_fd) < 0 || chroot(".") < 0)
		return err_sys(err, -errno, "return to the host's '/'");
	return 0;
}

/* What lies on top there, by the host's /proc. */
static int detach(const struct rooted *root, const char *destination, struct err *err)
{
	auto_close int fd = rooted_openat(root, destination, O_PATH);

	if (fd < 0)
		return err_sys(err, fd, "unmount '%s': open", destination);
	if (umount2(fd_path(fd).text, MNT_DETACH) < 0)
		return err_sys(err, -errno, "unmount '%s'", destination);
	return 0;
}

static int attach_one(struct mount_context *ctx, const struct mount_plan *all, size_t i,
		      struct err *err)
{
	/* A window of the plan: a context works on all that it has. */
	struct mount_plan one = *all;
	int r;

	one.ops = &all->ops[i];
	one.n_ops = 1;
	/* The root's is not to be changed. */
	one.root_readonly = false;
	ctx->plan = &one;
	r = mount_exec_all(ctx, err);
	return r < 0 ? r : mount_finalize(ctx, err);
}

/* All of them or none. */
static int attach_all(struct change *change, const struct rooted *root, struct err *err)
{
	struct mount_context ctx;
	int r = 0;

	mount_context_init(&ctx, &change->plan, change->c.record.rootfs);
	mountfd_env_probe(&ctx.env);
	ctx.root = *root;
	ctx.root_text = xstrdup("/");
	ctx.source_fds = change->sources;
	ctx.n_source_fds = change->plan.n_sources;
	for (size_t i = 0; r == 0 && i < change->plan.n_ops; i++) {
		r = attach_one(&ctx, &change->plan, i, err);
		while (r < 0 && i-- > 0)
			(void)detach(root, change->plan.ops[i].destination, NULL);
		if (r < 0)
			break;
	}
	return r;
}

static int detach_all(struct change *change, const struct rooted *root, struct err *err)
{
	int r = 0;

	for (size_t i = change->document.n_mounts; r == 0 && i-- > 0;)
		r = detach(root, change->document.mounts[i].destination, err);
	return r;
}

/* ---- in the parent ---- */

static int run_inside(struct change *change,
		      int (*work)(struct change *change, const struct rooted *root,
				  struct err *err),
		      struct err *err)
{
	int ends[2];
	pid_t pid;
	int r = msg_pair(ends);

	if (r < 0)
		return err_sys(err, r, "create a socket pair");
	pid = fork();
	if (pid == 0) {
		struct rooted root = ROOTED_INIT;
		struct err child_err = ERR_INIT;

		r = enter(change, &root, &child_err);
		if (r == 0)
			r = work(change, &root, &child_err);
		if (r < 0)
			handshake_send_failure(ends[1], &child_err);
		_exit(r < 0 ? 1 : 0);
	}
	(void)close(ends[1]);
	r = pid < 0 ? -errno : handshake_receive(ends[0], -1, &(struct msg){ 0 }, err);
	(void)close(ends[0]);
	if (pid < 0)
		return err_sys(err, r, "fork");
	(void)RETRY_EINTR(waitpid(pid, NULL, 0));
	/* It says nothing but what went wrong. */
	if (r != -EPIPE)
		return r < 0 ? r : -EPROTO;
	err_clear(err);
	return 0;
}

/* By init's pid; the caller has seen that init lives, and looks again. */
static int open_namespace(const struct container *c, const char *name, int *ret, struct err *err)
{
	auto_close int proc_fd = proc_root_open("/proc");
	auto_free char *path = xasprintf("%d/ns/%s", c->record.pid, name);
	int fd = proc_fd < 0 ? proc_fd : fd_open_at(proc_fd, path, O_RDONLY, 0);

	if (fd < 0)
		return err_sys(err, fd, "open %s namespace of process %d", name, c->record.pid);
	*ret = fd;
	return 0;
}

static int open_namespaces(struct change *change, struct err *err)
{
	const struct container *c = &change->c;
	int r = 0;

	if (!oci_linux_namespace(c->spec->linux_, "mount"))
		return err_set(err, ERR_UNSUPPORTED,
			       "the container has no mount namespace of its own");
	if (oci_linux_namespace(c->spec->linux_, "user"))
		r = open_namespace(c, "user", &change->user_ns_fd, err);
	if (r == 0)
		r = open_namespace(c, "mnt", &change->mount_ns_fd, err);
	if (r == 0 && !container_init_is_alive(c))
		return err_set(err, ERR_STATE, "the container has ended");
	return r;
}

static int load(struct change *change, struct runtime *rt, const char *id, const char *file,
		struct err *err)
{
	static const unsigned int allowed = 1U << CONTAINER_CREATED | 1U << CONTAINER_RUNNING |
					    1U << CONTAINER_PAUSED;
	int r = container_open(&change->c, rt, id, false, err);

	if (r == 0)
		r = container_lock(&change->c, err);
	if (r == 0)
		r = container_require(&change->c, allowed, "change mounts of", err);
	if (r == 0)
		r = container_load_spec(&change->c, err);
	if (r == 0)
		r = json_decode_file(&runtime_spec_desc, &change->document, AT_FDCWD, file, err);
	if (r == 0 && change->document.n_mounts == 0)
		r = err_set(
			err, ERR_INVALID,
			"'%s' has no mounts; expected { \"mounts\": [ ... ] } as in config.json",
			file);
	if (r == 0 && runtime_is_rootless(rt))
		r = err_set(err, ERR_UNSUPPORTED,
			    "the host's mounts can be handed to a container by root only");
	return r < 0 ? r : open_namespaces(change, err);
}

static int check_kinds(const struct mount_plan *plan, struct err *err)
{
	for (size_t i = 0; i < plan->n_ops; i++) {
		const struct mount_op *op = &plan->ops[i];

		if (op->kind != MOUNT_OP_BIND && op->kind != MOUNT_OP_TMPFS &&
		    op->kind != MOUNT_OP_FS)
			return err_set(
				err, ERR_UNSUPPORTED,
				"mounts[%zu] '%s': a mount of type %s is for create; what can "
				"be added is bind mounts, tmpfs and other file systems",
				i, op->destination,
				op->kind == MOUNT_OP_REMOUNT ? "remount" : op->type);
		if (op->kind == MOUNT_OP_BIND && op->source_slot < 0)
			return err_set(
				err, ERR_UNSUPPORTED,
				"mounts[%zu] '%s': its source is in the container's root, or "
				"the kernel lacks the mount API of Linux 5.2",
				i, op->destination);
	}
	return 0;
}

/* The container's configuration with the new mounts in the place of its own. */
static int plan_mounts(struct change *change, struct err *err)
{
	struct runtime_spec with_new = *change->c.spec;
	struct mount_facts facts;
	int r;

	with_new.mounts = change->document.mounts;
	with_new.n_mounts = change->document.n_mounts;
	r = runtime_spec_validate(&with_new, err);
	if (r < 0)
		return r;
	mount_facts_init(&facts, &with_new, change->c.record.bundle);
	facts.sources_outside = true;
	r = mount_plan_make(&change->plan, &with_new, &facts, err);
	if (r == 0)
		r = check_kinds(&change->plan, err);
	if (r == 0)
		r = mount_open_sources(&change->plan, change->user_ns_fd, &change->sources, err);
	if (r == 0 && change->plan.n_sources && !change->sources)
		r = err_set(err, ERR_UNSUPPORTED, "bind mounts need the mount API of Linux 5.2");
	return r;
}

/* The new ones become the container's, so that a checkpoint knows them. */
static void store(struct change *change)
{
	struct runtime_spec *to = change->c.spec;
	struct runtime_spec *from = &change->document;

	for (size_t i = 0; i < from->n_mounts; i++)
		*array_push(to->mounts, to->n_mounts) = from->mounts[i];
	free(take_ptr(from->mounts));
	from->n_mounts = 0;
}

int container_add_mounts(struct runtime *rt, const char *id, const char *file, struct err *err)
{
	struct change change;
	int r;

	change_init(&change);
	r = load(&change, rt, id, file, err);
	if (r == 0)
		r = plan_mounts(&change, err);
	if (r == 0)
		r = run_inside(&change, attach_all, err);
	if (r == 0) {
		store(&change);
		r = container_save_spec(&change.c, err);
	}
	change_done(&change);
	return r < 0 ? err_wrap(err, r, "add mounts to container '%s'", id) : 0;
}

static bool same_place(const char *a, const char *b)
{
	auto_free char *clean_a = path_join("/", a);
	auto_free char *clean_b = path_join("/", b);

	return str_eq(clean_a, clean_b);
}

/* The last of the container's mounts at that place; SIZE_MAX: none. */
static size_t find_mount(const struct runtime_spec *spec, const char *destination)
{
	for (size_t i = spec->n_mounts; i-- > 0;)
		if (same_place(spec->mounts[i].destination, destination))
			return i;
	return SIZE_MAX;
}

/* Masks and the like are no mounts of the list, and stay. */
static int check_removable(const struct change *change, struct err *err)
{
	for (size_t i = 0; i < change->document.n_mounts; i++) {
		const char *destination = change->document.mounts[i].destination;

		if (str_is_empty(destination))
			return err_set(err, ERR_INVALID, "mounts[%zu].destination: missing", i);
		if (find_mount(change->c.spec, destination) == SIZE_MAX)
			return err_set(
				err, ERR_NOT_FOUND,
				"mounts[%zu].destination: the container has no mount at '%s'", i,
				destination);
	}
	return 0;
}

static void forget(struct change *change)
{
	struct runtime_spec *spec = change->c.spec;

	for (size_t i = 0; i < change->document.n_mounts; i++) {
		size_t n = find_mount(spec, change->document.mounts[i].destination);
		struct runtime_spec gone = { .mounts = xcalloc(1, sizeof(*gone.mounts)),
					     .n_mounts = 1 };

		if (n != SIZE_MAX) {
			gone.mounts[0] = spec->mounts[n];
			for (size_t j = n + 1; j < spec->n_mounts; j++)
				spec->mounts[j - 1] = spec->mounts[j];
			spec->n_mounts--;
		}
		runtime_spec_done(&gone);
	}
}

int container_remove_mounts(struct runtime *rt, const char *id, const char *file, struct err *err)
{
	struct change change;
	int r;

	change_init(&change);
	r = load(&change, rt, id, file, err);
	if (r == 0)
		r = check_removable(&change, err);
	if (r == 0)
		r = run_inside(&change, detach_all, err);
	if (r == 0) {
		forget(&change);
		r = container_save_spec(&change.c, err);
	}
	change_done(&change);
	return r < 0 ? err_wrap(err, r, "remove mounts of container '%s'", id) : 0;
}
