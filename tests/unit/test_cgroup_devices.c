/* SPDX-License-Identifier: Apache-2.0 */
/* Device rules three ways: as the rules say, as v1 exceptions, as a program run by a small machine. */
#include "runtime/cgroup/devices_bpf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/auto.h"

struct request {
	char type; /* 'b' or 'c' */
	uint8_t access;
	int64_t major;
	int64_t minor;
};

static bool matches(const struct device_rule *rule, const struct request *q)
{
	return (rule->type == 'a' || rule->type == q->type) &&
	       (rule->major == DEVICE_ANY || rule->major == q->major) &&
	       (rule->minor == DEVICE_ANY || rule->minor == q->minor);
}

/* The definition: each access by itself, the last rule that covers it decides. */
static bool allowed_by_rules(const struct device_rules *rules, const struct request *q)
{
	for (unsigned int bit = DEVICE_MKNOD; bit <= DEVICE_WRITE; bit <<= 1) {
		bool allow = false;

		if (!(q->access & bit))
			continue;
		for (size_t i = 0; i < rules->n; i++)
			if (matches(&rules->v[i], q) && (rules->v[i].access & bit))
				allow = rules->v[i].allow;
		if (!allow)
			return false;
	}
	return true;
}

/* devcgroup_check_permission() and match_exception() of security/device_cgroup.c: an exception of an
 * allow list must cover the whole request, one of a deny list any part of it. */
static bool allowed_by_exceptions(const struct device_exceptions *x, const struct request *q)
{
	for (size_t i = 0; i < x->n; i++) {
		if (!matches(&x->v[i], q))
			continue;
		if (!x->default_allow && (q->access & ~x->v[i].access) == 0)
			return true;
		if (x->default_allow && (q->access & x->v[i].access))
			return false;
	}
	return x->default_allow;
}

/* Just the instructions that the generator uses; anything else fails the test. */
static bool allowed_by_program(const struct devices_bpf *p, const struct request *q)
{
	uint32_t context[3] = {
		(uint32_t)q->access << 16 |
			(q->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
		(uint32_t)q->major,
		(uint32_t)q->minor,
	};
	uint32_t reg[11] = { 0 };
	size_t pc = 0;

	for (int steps = 0; steps < 100000; steps++) {
		const struct bpf_insn *insn;
		uint32_t imm;

		assert_true(pc < p->n);
		insn = &p->v[pc++];
		imm = (uint32_t)insn->imm;
		switch (insn->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			assert_int_equal(insn->src_reg, BPF_REG_1);
			assert_true(insn->off % 4 == 0 && insn->off >= 0 && insn->off < 12);
			reg[insn->dst_reg] = context[insn->off / 4];
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			reg[insn->dst_reg] = reg[insn->src_reg];
			break;
		case BPF_ALU | BPF_MOV | BPF_K:
			reg[insn->dst_reg] = imm;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			reg[insn->dst_reg] &= imm;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			reg[insn->dst_reg] >>= imm;
			break;
		case BPF_JMP32 | BPF_JNE | BPF_K:
			pc += reg[insn->dst_reg] != imm ? (size_t)insn->off : 0;
			break;
		case BPF_JMP32 | BPF_JSET | BPF_K:
			pc += reg[insn->dst_reg] & imm ? (size_t)insn->off : 0;
			break;
		case BPF_JMP | BPF_JA:
			pc += (size_t)insn->off;
			break;
		case BPF_JMP | BPF_EXIT:
			return reg[BPF_REG_0] == 1;
		default:
			fail_msg("instruction %zu has the unknown code %#x", pc - 1, insn->code);
		}
	}
	fail_msg("the program does not end");
	return false;
}

static void check_agree(const struct device_rules *rules, const struct request *q)
{
	auto_devices_bpf struct devices_bpf program = DEVICES_BPF_INIT;
	struct device_exceptions x;
	bool expected = allowed_by_rules(rules, q);

	devices_bpf_generate(&program, rules);
	if (allowed_by_program(&program, q) != expected)
		fail_msg("program: %c %d:%d access %d should be %d", q->type, (int)q->major,
			 (int)q->minor, q->access, expected);
	/* What v1 cannot express is refused; what it is given may only ever be stricter. */
	if (device_exceptions_from_rules(&x, rules, NULL) < 0)
		return;
	if (allowed_by_exceptions(&x, q) && !expected)
		fail_msg("v1: %c %d:%d access %d is allowed", q->type, (int)q->major, (int)q->minor,
			 q->access);
	device_exceptions_done(&x);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

static void random_rule(struct oci_device_rule *rule, uint32_t *seed)
{
	static char types[][2] = { "a", "b", "c" };
	static char accesses[][4] = { "r", "w", "m", "rw", "rm", "wm", "rwm", "" };

	*rule = (struct oci_device_rule){
		.allow = next_random(seed) & 1,
		.type = types[next_random(seed) % 3],
		.access = accesses[next_random(seed) % 8],
		.major = { next_random(seed) & 1, (int64_t)(next_random(seed) % 3) },
		.minor = { next_random(seed) & 1, (int64_t)(next_random(seed) % 3) - 1 },
	};
}

static void test_random(void **state UNUSED)
{
	uint32_t seed = 20261121;

	for (int round = 0; round < 2000; round++) {
		struct oci_device_rule list[6];
		struct oci_resources res = { .devices = list };
		struct device_rules rules;

		res.n_devices = next_random(&seed) % 7;
		for (size_t i = 0; i < res.n_devices; i++)
			random_rule(&list[i], &seed);
		assert_int_equal(device_rules_from_resources(&rules, &res, NULL), 0);
		for (int i = 0; i < 24; i++) {
			struct request q = {
				.type = next_random(&seed) & 1 ? 'b' : 'c',
				.access = (uint8_t)(1 + next_random(&seed) % 7),
				.major = next_random(&seed) % 3,
				.minor = next_random(&seed) % 4,
			};

			check_agree(&rules, &q);
		}
		device_rules_done(&rules);
	}
}

static bool is_allowed(const struct oci_resources *res, char type, int64_t major, int64_t minor,
		       uint8_t access)
{
	auto_devices_bpf struct devices_bpf program = DEVICES_BPF_INIT;
	struct request q = { .type = type, .access = access, .major = major, .minor = minor };
	struct device_exceptions x;
	struct device_rules rules;
	bool allowed;

	assert_int_equal(device_rules_from_resources(&rules, res, NULL), 0);
	devices_bpf_generate(&program, &rules);
	allowed = allowed_by_program(&program, &q);
	assert_int_equal(device_exceptions_from_rules(&x, &rules, NULL), 0);
	assert_int_equal(allowed_by_exceptions(&x, &q), allowed);
	device_exceptions_done(&x);
	device_rules_done(&rules);
	return allowed;
}

/* Without any rule of the document: the devices that every container has, and mknod. */
static void test_defaults(void **state UNUSED)
{
	assert_true(is_allowed(NULL, 'c', 1, 3, DEVICE_ALL));
	assert_true(is_allowed(NULL, 'c', 136, 7, DEVICE_READ | DEVICE_WRITE));
	assert_true(is_allowed(NULL, 'b', 8, 0, DEVICE_MKNOD));
	assert_true(is_allowed(NULL, 'c', 4294967295, 1048575, DEVICE_MKNOD));
	assert_false(is_allowed(NULL, 'b', 8, 0, DEVICE_READ));
	assert_false(is_allowed(NULL, 'b', 8, 0, DEVICE_MKNOD | DEVICE_READ));
	assert_false(is_allowed(NULL, 'c', 1, 11, DEVICE_READ));
	assert_false(is_allowed(NULL, 'b', 1, 3, DEVICE_READ));
	assert_false(is_allowed(NULL, 'c', 10, 201, DEVICE_READ));
}

static void test_explicit(void **state UNUSED)
{
	char c[] = "c";
	char u[] = "u";
	char b[] = "b";
	char r[] = "r";
	char w[] = "w";
	struct oci_device_rule list[] = {
		{ .allow = false },
		{ .allow = true, .type = c, .major = { true, 10 }, .access = r },
		{ .allow = true, .type = u, .major = { true, 10 }, .access = w },
		{ .allow = true, .type = b, .major = { true, 8 }, .minor = { true, 4294967295 } },
	};
	struct oci_resources res = { .devices = list, .n_devices = ARRAY_SIZE(list) };
	struct oci_device_rule all = { .allow = true };
	struct oci_resources privileged = { .devices = &all, .n_devices = 1 };
	struct device_rules rules;

	/* Two rules that allow one access each allow both at once. */
	assert_true(is_allowed(&res, 'c', 10, 229, DEVICE_READ | DEVICE_WRITE));
	assert_true(is_allowed(&res, 'b', 8, 4294967295, DEVICE_ALL));
	assert_false(is_allowed(&res, 'b', 8, 1, DEVICE_READ));
	assert_true(is_allowed(&privileged, 'b', 8, 1, DEVICE_ALL));

	assert_int_equal(device_rules_from_resources(&rules, &privileged, NULL), 0);
	assert_true(device_rules_allow_all(&rules));
	device_rules_done(&rules);
	assert_int_equal(device_rules_from_resources(&rules, &res, NULL), 0);
	assert_false(device_rules_allow_all(&rules));
	device_rules_done(&rules);
}

static void test_invalid(void **state UNUSED)
{
	struct oci_device_rule rule = { .major = { true, 4294967296 } };
	struct oci_resources res = { .devices = &rule, .n_devices = 1 };
	struct device_rules rules;
	struct err err = ERR_INIT;

	assert_true(device_rules_from_resources(&rules, &res, &err) < 0);
	assert_string_equal(err.msg, "linux.resources.devices[0]: device number out of range");
	rule.major.v = -2;
	assert_true(device_rules_from_resources(&rules, &res, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_explicit),
		cmocka_unit_test(test_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
