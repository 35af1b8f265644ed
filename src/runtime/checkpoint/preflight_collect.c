/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight_collect.h"

#include "core/alloc.h"
#include "core/str.h"
#include "criu/find.h"
#include "runtime/cgroup/backend.h"
#include "runtime/checkpoint/facts.h"
#include "runtime/checkpoint/preflight_options.h"
#include "runtime/checkpoint/request.h"
#include "runtime/checkpoint/tuning.h"

static size_t hash(const char *key)
{
	/* FNV-1a */
	uint64_t h = 0xcbf29ce484222325U;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 0x100000001b3U;
	return (size_t)(h ^ h >> 32);
}

static struct preflight_index_slot *find_slot(const struct preflight_index *index, const char *key)
{
	size_t i = hash(key) & (index->n_slots - 1);

	while (index->slots[i].key && strcmp(index->slots[i].key, key) != 0)
		i = (i + 1) & (index->n_slots - 1);
	return &index->slots[i];
}

const size_t *preflight_index_find(const struct preflight_index *index, const char *key)
{
	const struct preflight_index_slot *slot;

	if (index->n_slots == 0)
		return NULL;
	slot = find_slot(index, key);
	return slot->key ? &slot->value : NULL;
}

static void grow(struct preflight_index *index)
{
	struct preflight_index old = *index;

	index->n_slots = old.n_slots ? old.n_slots * 2 : 256;
	index->slots = xcalloc(index->n_slots, sizeof(index->slots[0]));
	for (size_t i = 0; i < old.n_slots; i++)
		if (old.slots[i].key)
			*find_slot(index, old.slots[i].key) = old.slots[i];
	free(old.slots);
}

void preflight_index_add(struct preflight_index *index, const char *key, size_t value)
{
	struct preflight_index_slot *slot;

	if (2 * (index->n + 1) > index->n_slots)
		grow(index);
	slot = find_slot(index, key);
	if (!slot->key) {
		slot->key = xstrdup(key);
		index->n++;
	}
	slot->value = value;
}

void preflight_index_done(struct preflight_index *index)
{
	for (size_t i = 0; i < index->n_slots; i++)
		free(index->slots[i].key);
	free(index->slots);
	*index = (struct preflight_index){ 0 };
}

void preflight_unseen(struct preflight_collector *k, char *text)
{
	if (strvec_contains(&k->s->unseen, text))
		free(text);
	else
		strvec_add_take(&k->s->unseen, text);
}

const struct mountinfo_entry *preflight_find_mount(const struct preflight_snapshot *s, int id,
						   size_t *ret_namespace)
{
	for (size_t i = 0; i < s->n_mount_namespaces; i++) {
		const struct mountinfo_entry *m =
			mountinfo_find_id(&s->mount_namespaces[i].mounts, id);

		if (m) {
			*ret_namespace = i;
			return m;
		}
	}
	return NULL;
}

const struct preflight_mounts *preflight_collect_mounts(struct preflight_collector *k,
							const struct procfs_task *task, uint64_t ns)
{
	struct preflight_snapshot *s = k->s;
	struct mountinfo mounts = MOUNTINFO_INIT;
	struct preflight_mounts *m;
	struct rooted *root;

	for (size_t i = 0; i < s->n_mount_namespaces; i++)
		if (s->mount_namespaces[i].ns == ns)
			return &s->mount_namespaces[i];
	if (mountinfo_read(&mounts, task->fd, "mountinfo") < 0)
		return NULL;
	m = array_push(s->mount_namespaces, s->n_mount_namespaces);
	*m = (struct preflight_mounts){ .ns = ns, .mounts = mounts };
	root = array_push(k->roots, k->n_roots);
	*root = (struct rooted)ROOTED_INIT;
	(void)rooted_open(root, task->fd, "root");
	return m;
}

/* The mount points that a dump tells CRIU to take as given. */
static int collect_externals(struct preflight_snapshot *s, const struct container *c,
			     struct err *err)
{
	struct checkpoint_plans plans = CHECKPOINT_PLANS_INIT;
	int r = checkpoint_plans_make(&plans, c->spec, c->record.bundle, err);

	if (r == 0)
		r = checkpoint_plans_resolve(&plans, c->record.pid, err);
	for (size_t i = 0; r == 0 && i < plans.externals.n; i++)
		strvec_add(&s->externals, plans.externals.v[i].destination);
	checkpoint_plans_done(&plans);
	return r;
}

/* What a dump decides by itself where the caller leaves it open. */
static void collect_options(struct preflight_snapshot *s, const struct container *c,
			    struct cgroup *cg, const struct checkpoint_options *opts)
{
	auto_criu_location struct criu_location criu = CRIU_LOCATION_INIT;
	struct criu_find_opts find = { .configured = c->rt->criu_path };
	struct checkpoint_tuning tuning;

	/* That there is none is a finding of its own. */
	(void)criu_find(&criu, &find, NULL);
	preflight_options_make(&s->options, opts, c->spec);
	checkpoint_tuning_make(&tuning, c, cg, opts, criu.path, CRIU_VERSION_LOCK_SKIP);
	s->options.network_lock = tuning.network_lock;
}

static void collector_done(struct preflight_collector *k)
{
	procfs_close(&k->proc);
	preflight_index_done(&k->files);
	preflight_index_done(&k->mappings);
	for (size_t i = 0; i < k->n_roots; i++)
		rooted_close(&k->roots[i]);
	free(k->roots);
	free(k->suspects);
}

static int collect(struct preflight_collector *k, struct cgroup *cg,
		   const struct checkpoint_options *opts, struct err *err)
{
	const struct container *c = k->c;
	int r = container_open_cgroup(c, cg, err);

	if (r < 0)
		return r;
	r = procfs_open(&k->proc, NULL);
	if (r < 0)
		return err_sys(err, r, "open /proc");
	collect_options(k->s, c, cg, opts);
	preflight_collect_shm_device(k);
	if (cgroup_is_frozen(cg, &k->s->host.is_frozen, NULL) < 0)
		k->s->host.is_frozen = false;
	r = collect_externals(k->s, c, err);
	if (r == 0)
		r = preflight_collect_processes(k, cg, err);
	if (r < 0)
		return r;
	preflight_collect_sockets(k);
	preflight_collect_mount_states(k);
	r = preflight_collect_host(k, cg, opts, err);
	if (r == 0)
		preflight_collect_stuck(k);
	return r;
}

int preflight_collect(struct preflight_snapshot *ret, const struct container *c,
		      const struct checkpoint_options *opts, struct err *err)
{
	struct preflight_collector k = { .s = ret, .c = c, .proc = PROCFS_INIT };
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	int r;

	*ret = (struct preflight_snapshot)PREFLIGHT_SNAPSHOT_INIT;
	ret->id = xstrdup(c->id);
	ret->has_seccomp_listener = c->spec->linux_ && c->spec->linux_->seccomp &&
				    !str_is_empty(c->spec->linux_->seccomp->listener_path);
	r = collect(&k, &cg, opts, err);
	collector_done(&k);
	return r;
}
