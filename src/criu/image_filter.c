/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/image_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "criu/access.pb-c.h"
#include "criu/image_file.h"

#define IMAGE_MAGIC_SECCOMP 0x64413049U
/* Each jump leads forward, so that a program of the kernel's largest size ends after as many steps. */
#define STEPS_MAX 4096

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define NATIVE_ARCH AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define NATIVE_ARCH AUDIT_ARCH_S390X
#elif defined(__powerpc64__)
#define NATIVE_ARCH AUDIT_ARCH_PPC64LE
#else
#define NATIVE_ARCH 0
#endif

struct image_filters {
	AccessFilters *entry;
};

int image_filters_load(struct image_filters **ret, int dir_fd, struct err *err)
{
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	AccessFilters *entry = NULL;
	int r = image_file_open(&file, dir_fd, "seccomp.img", IMAGE_MAGIC_SECCOMP);

	*ret = NULL;
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = image_file_next(&file);
	if (r == 0)
		return 0;
	if (r > 0)
		entry = access_filters__unpack(NULL, file.len, file.entry);
	if (!entry)
		return err_set(err, ERR_CORRUPT, "image 'seccomp.img' is damaged");
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->entry = entry;
	return 0;
}

void image_filters_free(struct image_filters *filters)
{
	if (!filters)
		return;
	access_filters__free_unpacked(filters->entry, NULL);
	free(filters);
}

bool image_filters_are_synced(const struct image_filters *filters)
{
	const AccessFilters *all = filters ? filters->entry : NULL;

	for (size_t i = 0; all && i < all->n_filters; i++)
		if (!(all->filters[i]->flags & SECCOMP_FILTER_FLAG_TSYNC))
			return false;
	return all && all->n_filters > 0;
}

static bool load_word(const struct seccomp_data *data, uint32_t offset, uint32_t *ret)
{
	if (offset % 4 || offset + 4 > sizeof(*data))
		return false;
	(void)memcpy(ret, (const char *)data + offset, sizeof(*ret));
	return true;
}

static bool alu(const struct sock_filter *f, uint32_t *a, uint32_t x)
{
	uint32_t v = BPF_SRC(f->code) == BPF_X ? x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_ADD:
		*a += v;
		return true;
	case BPF_SUB:
		*a -= v;
		return true;
	case BPF_AND:
		*a &= v;
		return true;
	case BPF_OR:
		*a |= v;
		return true;
	case BPF_XOR:
		*a ^= v;
		return true;
	case BPF_NEG:
		*a = -*a;
		return true;
	case BPF_LSH:
		*a = v < 32 ? *a << v : 0;
		return true;
	case BPF_RSH:
		*a = v < 32 ? *a >> v : 0;
		return true;
	default:
		return false;
	}
}

static bool compare(const struct sock_filter *f, uint32_t a, uint32_t x)
{
	uint32_t v = BPF_SRC(f->code) == BPF_X ? x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_JEQ:
		return a == v;
	case BPF_JGT:
		return a > v;
	case BPF_JGE:
		return a >= v;
	default:
		return (a & v) != 0; /* BPF_JSET */
	}
}

/* What the program returns; ALLOW for one that the kernel would not take. */
static uint32_t run(const struct sock_filter *program, size_t n, const struct seccomp_data *data)
{
	uint32_t mem[BPF_MEMWORDS] = { 0 };
	uint32_t a = 0;
	uint32_t x = 0;
	size_t pc = 0;

	for (int step = 0; step < STEPS_MAX && pc < n; step++) {
		const struct sock_filter *f = &program[pc++];

		switch (BPF_CLASS(f->code)) {
		case BPF_RET:
			return BPF_RVAL(f->code) == BPF_A ? a : f->k;
		case BPF_LD:
			if (BPF_MODE(f->code) == BPF_IMM)
				a = f->k;
			else if (BPF_MODE(f->code) == BPF_MEM && f->k < BPF_MEMWORDS)
				a = mem[f->k];
			else if (!load_word(data, f->k, &a))
				return SECCOMP_RET_ALLOW;
			break;
		case BPF_LDX:
			x = BPF_MODE(f->code) == BPF_MEM && f->k < BPF_MEMWORDS ? mem[f->k] : f->k;
			break;
		case BPF_ST:
			mem[f->k % BPF_MEMWORDS] = a;
			break;
		case BPF_STX:
			mem[f->k % BPF_MEMWORDS] = x;
			break;
		case BPF_ALU:
			if (!alu(f, &a, x))
				return SECCOMP_RET_ALLOW;
			break;
		case BPF_JMP:
			if (BPF_OP(f->code) == BPF_JA)
				pc += f->k;
			else
				pc += compare(f, a, x) ? f->jt : f->jf;
			break;
		default: /* BPF_MISC */
			if (BPF_MISCOP(f->code) == BPF_TAX)
				x = a;
			else
				a = x;
		}
	}
	return SECCOMP_RET_ALLOW;
}

bool image_filters_allow(const struct image_filters *filters, uint32_t place, int number)
{
	const struct seccomp_data data = { .nr = number, .arch = NATIVE_ARCH };
	const AccessFilters *all = filters ? filters->entry : NULL;

	/* Each filter names one that stands before it, so that a chain ends. */
	for (uint32_t left = all ? (uint32_t)all->n_filters : 0; left > 0; left--) {
		const AccessFilter *f = place < all->n_filters ? all->filters[place] : NULL;
		auto_free struct sock_filter *program = NULL;
		uint32_t action;

		if (!f || f->filter.len == 0 || f->filter.len % sizeof(*program))
			return true;
		program = xmemdup(f->filter.data, f->filter.len);
		action = run(program, f->filter.len / sizeof(*program), &data) &
			 SECCOMP_RET_ACTION_FULL;
		if (action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG)
			return false;
		if (!f->has_prev || f->prev >= place)
			return true;
		place = f->prev;
	}
	return true;
}
