/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/devices_bpf.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"

/* More programs than this on one cgroup than the kernel itself allows (BPF_CGROUP_MAX_PROGS). */
#define ATTACHED_MAX 64

/* Registers: r1 context, r2 device type, r3 accesses still undecided, r4 major, r5 minor. */
enum { TYPE = BPF_REG_2, ACCESS = BPF_REG_3, MAJOR = BPF_REG_4, MINOR = BPF_REG_5 };

static void emit(struct devices_bpf *p, unsigned int code, unsigned int dst, unsigned int src,
		 size_t off, uint32_t imm)
{
	*array_push(p->v, p->n) = (struct bpf_insn){
		.code = (uint8_t)code,
		.dst_reg = dst & 0xf,
		.src_reg = src & 0xf,
		.off = (int16_t)off,
		.imm = (int32_t)imm,
	};
}

static void emit_prologue(struct devices_bpf *p)
{
	size_t type = offsetof(struct bpf_cgroup_dev_ctx, access_type);

	emit(p, BPF_LDX | BPF_MEM | BPF_W, TYPE, BPF_REG_1, type, 0);
	emit(p, BPF_ALU | BPF_MOV | BPF_X, ACCESS, TYPE, 0, 0);
	emit(p, BPF_ALU | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
	emit(p, BPF_ALU | BPF_RSH | BPF_K, ACCESS, 0, 0, 16);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, MAJOR, BPF_REG_1,
	     offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(p, BPF_LDX | BPF_MEM | BPF_W, MINOR, BPF_REG_1,
	     offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
}

static void emit_return(struct devices_bpf *p, bool allow)
{
	emit(p, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, allow);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Jumps to the next rule are emitted with offset 0 and aimed by aim_jumps(). */
static void emit_unless_equal(struct devices_bpf *p, unsigned int reg, uint32_t v)
{
	emit(p, BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, 0, v);
}

static void emit_verdict(struct devices_bpf *p, const struct device_rule *rule)
{
	if (rule->access == DEVICE_ALL) {
		emit_return(p, rule->allow);
	} else if (rule->allow) {
		emit(p, BPF_ALU | BPF_AND | BPF_K, ACCESS, 0, 0,
		     DEVICE_ALL & ~(uint32_t)rule->access);
		emit_unless_equal(p, ACCESS, 0);
		emit_return(p, true);
	} else {
		emit(p, BPF_JMP32 | BPF_JSET | BPF_K, ACCESS, 0, 1, rule->access);
		emit(p, BPF_JMP | BPF_JA, 0, 0, 2, 0);
		emit_return(p, false);
	}
}

static void aim_jumps(struct devices_bpf *p, size_t from)
{
	for (size_t i = from; i < p->n; i++)
		if (p->v[i].code == (BPF_JMP32 | BPF_JNE | BPF_K))
			p->v[i].off = (int16_t)(p->n - i - 1);
}

static void emit_rule(struct devices_bpf *p, const struct device_rule *rule)
{
	size_t start = p->n;

	if (rule->type != 'a')
		emit_unless_equal(p, TYPE,
				  rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	if (rule->major != DEVICE_ANY)
		emit_unless_equal(p, MAJOR, (uint32_t)rule->major);
	if (rule->minor != DEVICE_ANY)
		emit_unless_equal(p, MINOR, (uint32_t)rule->minor);
	emit_verdict(p, rule);
	aim_jumps(p, start);
}

void devices_bpf_generate(struct devices_bpf *ret, const struct device_rules *rules)
{
	struct devices_bpf p = DEVICES_BPF_INIT;

	emit_prologue(&p);
	for (size_t i = rules->n; i-- > 0;) {
		const struct device_rule *rule = &rules->v[i];

		emit_rule(&p, rule);
		/* Nothing may follow that cannot be reached, the verifier would refuse it. */
		if (rule->type == 'a' && rule->access == DEVICE_ALL && rule->major == DEVICE_ANY &&
		    rule->minor == DEVICE_ANY) {
			*ret = p;
			return;
		}
	}
	emit_return(&p, false);
	*ret = p;
}

void devices_bpf_done(struct devices_bpf *program)
{
	free(program->v);
	*program = (struct devices_bpf)DEVICES_BPF_INIT;
}

static int sys_bpf(unsigned int cmd, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static int load(const struct devices_bpf *program, char *log, size_t log_size)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)program->v;
	attr.insn_cnt = (uint32_t)program->n;
	attr.license = (uintptr_t) "Apache-2.0";
	attr.log_buf = (uintptr_t)log;
	attr.log_size = (uint32_t)log_size;
	attr.log_level = log ? 1 : 0;
	memcpy(attr.prog_name, "floe_devices", sizeof("floe_devices"));
	return sys_bpf(BPF_PROG_LOAD, &attr);
}

static const char *last_line(char *text)
{
	size_t len = strlen(text);
	char *newline;

	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	newline = strrchr(text, '\n');
	return newline ? newline + 1 : text;
}

int devices_bpf_load(const struct devices_bpf *program, struct err *err)
{
	char log[4096] = "";
	int fd = load(program, NULL, 0);
	int r;

	if (fd >= 0)
		return fd;
	r = fd;
	/* Again for the reason; the verifier's log is worth its price only then. */
	fd = load(program, log, sizeof(log));
	if (fd >= 0)
		return fd;
	r = err_sys(err, r, "load the program with the device rules");
	if (log[0])
		err_append(err, " (%s)", last_line(log));
	return r;
}

static int attach(int cgroup_fd, int program_fd, int replace_fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup_fd;
	attr.attach_bpf_fd = (uint32_t)program_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (replace_fd >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)replace_fd;
	}
	return sys_bpf(BPF_PROG_ATTACH, &attr);
}

static int detach(int cgroup_fd, int program_fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup_fd;
	attr.attach_bpf_fd = (uint32_t)program_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	return sys_bpf(BPF_PROG_DETACH, &attr);
}

/* Ids of the programs attached to this very cgroup; their number or a negative errno. */
static int query(int cgroup_fd, uint32_t ids[static ATTACHED_MAX])
{
	union bpf_attr attr;
	int r;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)cgroup_fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = ATTACHED_MAX;
	r = sys_bpf(BPF_PROG_QUERY, &attr);
	return r < 0 ? r : (int)attr.query.prog_cnt;
}

static int program_by_id(uint32_t id)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	return sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

/* The new one beside the old ones (access needs the consent of all), then the old ones off. */
static int attach_and_detach(int cgroup_fd, int program_fd, const uint32_t *old, int n)
{
	int r = attach(cgroup_fd, program_fd, -EBADF);

	for (int i = 0; i < n && r == 0; i++) {
		auto_close int fd = program_by_id(old[i]);

		r = fd < 0 ? fd : detach(cgroup_fd, fd);
	}
	return r;
}

static int replace(int cgroup_fd, int program_fd)
{
	uint32_t ids[ATTACHED_MAX];
	int n = query(cgroup_fd, ids);
	int r = -EINVAL;

	if (n < 0)
		return n;
	if (n == 1) {
		auto_close int old = program_by_id(ids[0]);

		if (old < 0)
			return old;
		r = attach(cgroup_fd, program_fd, old);
	}
	/* EINVAL: several, none, attached without BPF_F_ALLOW_MULTI, or a kernel before 5.6. */
	return r == -EINVAL ? attach_and_detach(cgroup_fd, program_fd, ids, n) : r;
}

int devices_bpf_attach(int cgroup_fd, int program_fd, bool is_new, struct err *err)
{
	int r = is_new ? attach(cgroup_fd, program_fd, -EBADF) : replace(cgroup_fd, program_fd);

	return r < 0 ? err_sys(err, r, "attach the program with the device rules") : 0;
}
