/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json_table.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/json_locate.h"
#include "core/strbuf.h"
#include "core/utf8.h"

/* A struct with every kind. */

struct part {
	char *name;
	uint32_t weight;
	struct json_extra extra;
};

struct named {
	char *key;
	int value;
};

enum color { COLOR_NONE, COLOR_RED, COLOR_BLUE };

struct thing {
	bool yes;
	struct opt_bool maybe;
	int i;
	int64_t i64;
	uint64_t u64;
	uint32_t u32;
	struct opt_i64 opt_i64;
	struct opt_u64 opt_u64;
	struct opt_u32 opt_u32;
	struct opt_double opt_double;
	char *text;
	char **words;
	size_t n_words;
	struct json_string_map map;
	enum color color;
	struct part part;
	struct part *part_ptr;
	struct part *parts;
	size_t n_parts;
	struct named *named;
	size_t n_named;
	uint32_t *numbers;
	size_t n_numbers;
	struct json_object *raw;
	struct json_extra extra;
};

static const struct json_enum_name colors[] = {
	{ "red", COLOR_RED },
	{ "blue", COLOR_BLUE },
	{ NULL, 0 },
};

/* clang-format off */
JSON_DESC_STATIC(part_desc, struct part,
	F_STRING(struct part, name, "name", JSON_REQUIRED),
	F_U32(struct part, weight, "weight", 0),
	F_EXTRA(struct part, extra));

JSON_DESC_STATIC(named_desc, struct named,
	F_INT(struct named, value, "value", 0));

JSON_DESC_STATIC(thing_desc, struct thing,
	F_BOOL(struct thing, yes, "yes", 0),
	F_OPT_BOOL(struct thing, maybe, "maybe", 0),
	F_INT(struct thing, i, "int", 0),
	F_I64(struct thing, i64, "i64", 0),
	F_U64(struct thing, u64, "u64", 0),
	F_U32(struct thing, u32, "u32", 0),
	F_OPT_I64(struct thing, opt_i64, "optI64", 0),
	F_OPT_U64(struct thing, opt_u64, "optU64", 0),
	F_OPT_U32(struct thing, opt_u32, "optU32", 0),
	F_OPT_DOUBLE(struct thing, opt_double, "optDouble", 0),
	F_STRING(struct thing, text, "text", 0),
	F_STRING(struct thing, text, "oldText", JSON_DECODE_ONLY),
	F_STRINGS(struct thing, words, "words", 0),
	F_STRING_MAP(struct thing, map, "map", 0),
	F_ENUM(struct thing, color, "color", 0, colors),
	F_OBJECT(struct thing, part, struct part, "part", 0, part_desc),
	F_OBJECT_PTR(struct thing, part_ptr, struct part, "partPtr", 0, part_desc),
	F_OBJECTS(struct thing, parts, struct part, "parts", 0, part_desc),
	F_OBJECT_MAP(struct thing, named, struct named, "named", 0, named_desc),
	F_U32S(struct thing, numbers, "numbers", 0),
	F_RAW(struct thing, raw, "raw", 0),
	F_EXTRA(struct thing, extra));

/* The same kinds, written always. */
JSON_DESC_STATIC(always_desc, struct thing,
	F_BOOL(struct thing, yes, "yes", JSON_ALWAYS),
	F_INT(struct thing, i, "int", JSON_ALWAYS),
	F_I64(struct thing, i64, "i64", JSON_ALWAYS),
	F_U64(struct thing, u64, "u64", JSON_ALWAYS),
	F_U32(struct thing, u32, "u32", JSON_ALWAYS),
	F_STRING(struct thing, text, "text", JSON_ALWAYS),
	F_STRINGS(struct thing, words, "words", JSON_ALWAYS),
	F_STRING_MAP(struct thing, map, "map", JSON_ALWAYS),
	F_OBJECT(struct thing, part, struct part, "part", JSON_ALWAYS, part_desc),
	F_OBJECTS(struct thing, parts, struct part, "parts", JSON_ALWAYS, part_desc),
	F_OBJECT_MAP(struct thing, named, struct named, "named", JSON_ALWAYS, named_desc),
	F_U32S(struct thing, numbers, "numbers", JSON_ALWAYS));
/* clang-format on */

static const char full[] =
	"{\"yes\":true,\"maybe\":false,\"int\":-7,\"i64\":-9223372036854775808,"
	"\"u64\":18446744073709551615,\"u32\":4294967295,\"optI64\":9223372036854775807,"
	"\"optU64\":18446744073709551615,\"optU32\":0,\"optDouble\":0.1,\"text\":\"t\","
	"\"words\":[\"a\",\"b\",\"c\"],\"map\":{\"k\":\"v\",\"a.b\":\"\"},\"color\":\"blue\","
	"\"part\":{\"name\":\"p\",\"weight\":3},\"partPtr\":{\"name\":\"q\",\"more\":[1,{}]},"
	"\"parts\":[{\"name\":\"r\"},{\"name\":\"s\",\"x\":null}],\"named\":{\"one\":{\"value\":1},"
	"\"two\":{}},\"numbers\":[1,2,4294967295],\"raw\":[1.50,\"x\",{\"y\":null}],"
	"\"later\":{\"z\":18446744073709551615},\"sooner\":1}";

static int decode(struct thing *ret, const char *text, struct err *err)
{
	/* Exactly as long as the text, so that a reader that goes on is found out. */
	size_t len = strlen(text);
	char *copy = xmemdup(text, len);
	int r = json_decode(&thing_desc, ret, copy, len, "t.json", err);

	free(copy);
	return r;
}

static void expect(const char *text, const char *message)
{
	struct err err = ERR_INIT;
	struct thing thing;

	memset(&thing, 0xa5, sizeof(thing));
	assert_int_equal(decode(&thing, text, &err), -EBADMSG);
	assert_string_equal(err.msg, message);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_int_equal(err.code, -EBADMSG);
	/* Without a place for the error, too. */
	assert_int_equal(decode(&thing, text, NULL), -EBADMSG);
}

static void test_all_kinds(void **state UNUSED)
{
	struct err err = ERR_INIT;
	struct thing t;

	memset(&t, 0xa5, sizeof(t));
	assert_int_equal(decode(&t, full, &err), 0);
	assert_true(t.yes && t.maybe.set && !t.maybe.v);
	assert_int_equal(t.i, -7);
	assert_true(t.i64 == INT64_MIN && t.u64 == UINT64_MAX && t.u32 == UINT32_MAX);
	assert_true(t.opt_i64.set && t.opt_i64.v == INT64_MAX);
	assert_true(t.opt_u64.set && t.opt_u64.v == UINT64_MAX);
	assert_true(t.opt_u32.set && t.opt_u32.v == 0);
	assert_true(t.opt_double.set && t.opt_double.v > 0.09 && t.opt_double.v < 0.11);
	assert_string_equal(t.text, "t");
	assert_int_equal(t.n_words, 3);
	assert_string_equal(t.words[2], "c");
	assert_null(t.words[3]);
	assert_string_equal(json_string_map_get(&t.map, "a.b"), "");
	assert_null(json_string_map_get(&t.map, "b"));
	assert_int_equal(t.color, COLOR_BLUE);
	assert_string_equal(t.part.name, "p");
	assert_int_equal(t.part.weight, 3);
	assert_null(t.part.extra.object);
	assert_string_equal(t.part_ptr->name, "q");
	assert_non_null(t.part_ptr->extra.object);
	assert_int_equal(t.n_parts, 2);
	assert_string_equal(t.parts[1].name, "s");
	assert_int_equal(t.n_named, 2);
	assert_string_equal(t.named[0].key, "one");
	assert_int_equal(t.named[0].value, 1);
	assert_int_equal(t.n_numbers, 3);
	assert_true(t.numbers[2] == UINT32_MAX);
	assert_int_equal(json_object_array_length(t.raw), 3);
	assert_int_equal(json_object_object_length(t.extra.object), 2);
	json_done(&thing_desc, &t);
	assert_null(t.words);
	json_done(&thing_desc, &t);
	json_done(&thing_desc, NULL);
}

/* Every byte comes back: order, unknown keys, 64-bit values, doubles as they were written. */
static void test_round_trip(void **state UNUSED)
{
	struct thing t;
	auto_free char *text = NULL;

	assert_int_equal(decode(&t, full, NULL), 0);
	text = json_encode(&thing_desc, &t, JSON_COMPACT);
	assert_string_equal(text, full);
	json_done(&thing_desc, &t);
}

static void test_from_value(void **state UNUSED)
{
	struct json_object *value = json_tokener_parse(full);
	struct json_object *again;
	struct err err = ERR_INIT;
	struct thing t;

	assert_int_equal(json_decode_value(&thing_desc, &t, value, "v", &err), 0);
	again = json_encode_value(&thing_desc, &t);
	assert_true(json_object_equal(value, again));
	json_done(&thing_desc, &t);
	json_object_put(again);
	json_object_object_add(value, "int", json_object_new_string("1"));
	assert_int_equal(json_decode_value(&thing_desc, &t, value, "v", &err), -EBADMSG);
	assert_string_equal(err.msg, "v: int: expected integer, got string");
	json_object_put(value);
}

/* Whoever finds a key absent, null or empty. */
static void test_absence(void **state UNUSED)
{
	struct thing t;
	char *text;

	assert_int_equal(decode(&t, "{}", NULL), 0);
	assert_false(t.maybe.set || t.opt_i64.set || t.opt_u64.set || t.opt_u32.set ||
		     t.opt_double.set);
	assert_true(!t.words && !t.text && !t.part_ptr && !t.parts && !t.named && !t.numbers);
	assert_true(!t.map.v && !t.raw && !t.extra.object && t.color == COLOR_NONE);
	text = json_encode(&thing_desc, &t, JSON_COMPACT);
	assert_string_equal(text, "{}");
	free(text);

	assert_int_equal(decode(&t,
				"{\"words\":null,\"maybe\":null,\"part\":null,\"named\":null,"
				"\"int\":null,\"raw\":null,\"text\":null,\"color\":null}",
				NULL),
			 0);
	assert_true(!t.words && !t.maybe.set && !t.extra.object && !t.raw);
	json_done(&thing_desc, &t);

	assert_int_equal(decode(&t,
				"{\"words\":[],\"map\":{},\"parts\":[],\"named\":{},"
				"\"numbers\":[]}",
				NULL),
			 0);
	assert_true(t.words && t.n_words == 0 && !t.words[0]);
	assert_true(t.map.v && t.parts && t.named && t.numbers);
	text = json_encode(&thing_desc, &t, JSON_COMPACT);
	assert_string_equal(text, "{\"words\":[],\"map\":{},\"parts\":[],\"named\":{},"
				  "\"numbers\":[]}");
	free(text);
	json_done(&thing_desc, &t);
}

static void test_always(void **state UNUSED)
{
	struct thing t = { 0 };
	auto_free char *text = json_encode(&always_desc, &t, JSON_COMPACT);

	assert_string_equal(text, "{\"yes\":false,\"int\":0,\"i64\":0,\"u64\":0,\"u32\":0,"
				  "\"text\":\"\",\"words\":[],\"map\":{},\"part\":{},\"parts\":[],"
				  "\"named\":{},\"numbers\":[]}");
}

static void test_older_spelling(void **state UNUSED)
{
	struct thing t;

	assert_int_equal(decode(&t, "{\"oldText\":\"old\"}", NULL), 0);
	assert_string_equal(t.text, "old");
	assert_null(t.extra.object);
	json_done(&thing_desc, &t);
	assert_int_equal(decode(&t, "{\"oldText\":\"old\",\"text\":\"new\"}", NULL), 0);
	assert_string_equal(t.text, "new");
	json_done(&thing_desc, &t);
	assert_int_equal(decode(&t, "{\"oldText\":\"old\",\"text\":null}", NULL), 0);
	assert_string_equal(t.text, "old");
	json_done(&thing_desc, &t);
}

/* Keys in other letters, which runc takes too. */
static void test_letter_case(void **state UNUSED)
{
	struct thing t;

	assert_int_equal(decode(&t, "{\"PARTPTR\":{\"Name\":\"q\"},\"optu32\":3}", NULL), 0);
	assert_string_equal(t.part_ptr->name, "q");
	assert_true(t.opt_u32.set && t.opt_u32.v == 3);
	assert_null(t.extra.object);
	json_done(&thing_desc, &t);
	/* The right key wins, wherever it stands. */
	assert_int_equal(decode(&t, "{\"Text\":\"a\",\"text\":\"b\",\"TEXT\":\"c\"}", NULL), 0);
	assert_string_equal(t.text, "b");
	json_done(&thing_desc, &t);
	expect("{\"PARTPTR\":{\"Name\":\n1}}",
	       "t.json:2: PARTPTR.Name: expected string, got number");
}

/* In the table's order or in another, with null, an older spelling, other letters: all the same. */
static void test_member_order(void **state UNUSED)
{
	static const char *const texts[] = {
		"{\"yes\":true,\"int\":4,\"text\":\"t\",\"words\":[\"a\"]}",
		"{\"yes\":true,\"maybe\":null,\"int\":4,\"text\":\"t\",\"words\":[\"a\"]}",
		"{\"yes\":true,\"int\":4,\"text\":\"t\",\"oldText\":\"o\",\"words\":[\"a\"]}",
		"{\"words\":[\"a\"],\"text\":\"t\",\"int\":4,\"yes\":true}",
		"{\"yes\":true,\"text\":\"t\",\"int\":4,\"words\":[\"a\"]}",
		"{\"yes\":true,\"INT\":4,\"text\":\"t\",\"words\":[\"a\"]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		auto_free char *text = NULL;
		struct thing t;

		assert_int_equal(decode(&t, texts[i], NULL), 0);
		text = json_encode(&thing_desc, &t, JSON_COMPACT);
		assert_string_equal(text, texts[0]);
		json_done(&thing_desc, &t);
	}
}

static void test_type_errors(void **state UNUSED)
{
	expect("[]", "t.json:1: expected object, got list");
	expect("null", "t.json:1: expected object, got null");
	expect("7", "t.json:1: expected object, got number");
	expect("{\"yes\":\"true\"}", "t.json:1: yes: expected boolean, got string");
	expect("{\n\"maybe\":\n1}", "t.json:3: maybe: expected boolean, got number");
	expect("{\"text\":1}", "t.json:1: text: expected string, got number");
	expect("{\"text\":\"a\\u0000b\"}", "t.json:1: text: string contains a NUL character");
	expect("{\"words\":\"a\"}", "t.json:1: words: expected list of strings, got string");
	expect("{\"words\":[\"a\",\n1]}", "t.json:2: words[1]: expected string, got number");
	expect("{\"words\":[null]}", "t.json:1: words[0]: expected string, got null");
	expect("{\"map\":[]}", "t.json:1: map: expected object with strings, got list");
	expect("{\"map\":{\"a.b\":{}}}", "t.json:1: map[\"a.b\"]: expected string, got object");
	expect("{\"color\":1}", "t.json:1: color: expected string, got number");
	expect("{\"color\":\"green\"}",
	       "t.json:1: color: unknown value 'green', expected one of 'red', 'blue'");
	expect("{\"part\":[]}", "t.json:1: part: expected object, got list");
	expect("{\"part\":{}}", "t.json:1: part: required key 'name' is missing");
	expect("{\"part\":{\"name\":null}}", "t.json:1: part: required key 'name' is missing");
	expect("{\"parts\":{}}", "t.json:1: parts: expected list of objects, got object");
	expect("{\n \"parts\": [\n  {\"name\": \"a\"},\n  {\"name\": \"b\",\n   \"weight\": "
	       "true}\n ]"
	       "}",
	       "t.json:5: parts[1].weight: expected integer, got boolean");
	expect("{\"named\":[]}", "t.json:1: named: expected object with objects, got list");
	expect("{\"named\":{\"x y\":{\"value\":[]}}}",
	       "t.json:1: named[\"x y\"].value: expected integer, got list");
	expect("{\"numbers\":[1,\"2\"]}", "t.json:1: numbers[1]: expected integer, got string");
	expect("{\"optDouble\":\"1\"}", "t.json:1: optDouble: expected number, got string");
	/* What was decoded before the error is freed: the sanitizer tells. */
	expect("{\"text\":\"t\",\"words\":[\"a\"],\"partPtr\":{\"name\":\"n\",\"x\":1},\"map\":{"
	       "\"k\":\"v\"},\"raw\":{},\"named\":{\"n\":{\"value\":\"\"}}}",
	       "t.json:1: named.n.value: expected integer, got string");
}

static void test_ranges(void **state UNUSED)
{
	expect("{\"int\":2147483648}", "t.json:1: int: expected integer from -2147483648 to "
				       "2147483647, got 2147483648");
	expect("{\"int\":-2147483649}", "t.json:1: int: expected integer from -2147483648 to "
					"2147483647, got -2147483649");
	expect("{\"i64\":9223372036854775808}",
	       "t.json:1: i64: expected integer from -9223372036854775808 to 9223372036854775807, "
	       "got 9223372036854775808");
	expect("{\"u64\":-1}",
	       "t.json:1: u64: expected integer from 0 to 18446744073709551615, got "
	       "-1");
	expect("{\"u32\":4294967296}",
	       "t.json:1: u32: expected integer from 0 to 4294967295, got 4294967296");
	expect("{\"optU32\":-1}",
	       "t.json:1: optU32: expected integer from 0 to 4294967295, got -1");
	expect("{\"u64\":1.0}", "t.json:1: u64: expected integer, got number 1.0");
	expect("{\"u64\":1e3}", "t.json:1: u64: expected integer, got number 1e3");
	expect("{\"u64\":18446744073709551616}", "t.json:1: number does not fit in 64 bits");
	expect("{\"i64\":-9223372036854775809}", "t.json:1: number does not fit in 64 bits");
	expect("{\"unknown\":\n123456789012345678901}", "t.json:2: number does not fit in 64 bits");
}

static void test_limits_pass(void **state UNUSED)
{
	struct thing t;

	assert_int_equal(
		decode(&t, "{\"int\":-2147483648,\"i64\":9223372036854775807,\"u64\":0}", NULL), 0);
	assert_int_equal(t.i, INT32_MIN);
	assert_true(t.i64 == INT64_MAX);
	json_done(&thing_desc, &t);
	assert_int_equal(decode(&t, "{\"optDouble\":-3}", NULL), 0);
	assert_true(t.opt_double.v < -2.9 && t.opt_double.v > -3.1);
	json_done(&thing_desc, &t);
	/* Digits of a double are not those of an integer. */
	assert_int_equal(decode(&t, "{\"unknown\":123456789012345678901.5}", NULL), 0);
	json_done(&thing_desc, &t);
}

static void test_malformed(void **state UNUSED)
{
	expect("", "t.json:1: document ends too early");
	expect(" \n ", "t.json:2: document ends too early");
	expect("{", "t.json:1: document ends too early");
	expect("{\"int\":1", "t.json:1: document ends too early");
	expect("{\n\"words\":[\"a\",", "t.json:2: document ends too early");
	expect("{\"text\":\"a", "t.json:1: string without an end");
	expect("{\"text\":\"a\\", "t.json:1: string without an end");
	expect("{}\n{}", "t.json:2: text behind the end of the document");
	expect("{} x", "t.json:1: unexpected character");
	expect("{} 1", "t.json:1: text behind the end of the document");
	expect("{\"a\":1,}", "t.json:1: misplaced comma");
	expect("{\"a\":[1,]}", "t.json:1: misplaced comma");
	expect("{\"a\":[,1]}", "t.json:1: misplaced comma");
	expect("{\"a\":[1,\n,1]}", "t.json:2: misplaced comma");
	expect("{,}", "t.json:1: misplaced comma");
	expect(",{}", "t.json:1: misplaced comma");
	expect("{\"a\":,\"b\":1}", "t.json:1: misplaced comma");
	expect("{\"a\" 1}", "t.json:1: object property name separator ':' expected");
	expect("{\"a\":1 \"b\":2}", "t.json:1: object value separator ',' expected");
	expect("{a:1}", "t.json:1: unexpected character");
	expect("{'a':1}", "t.json:1: unexpected character");
	expect("{\n/* c */}", "t.json:2: unexpected character");
	expect("{\"a\":NaN}", "t.json:1: unexpected character");
	expect("{\"a\":Infinity}", "t.json:1: unexpected character");
	expect("{\"a\":-Infinity}", "t.json:1: malformed number");
	expect("{\"a\":01}", "t.json:1: malformed number");
	expect("{\"a\":00}", "t.json:1: malformed number");
	expect("{\"a\":1.}", "t.json:1: malformed number");
	expect("{\"a\":.5}", "t.json:1: unexpected character");
	expect("{\"a\":1e}", "t.json:1: malformed number");
	expect("{\"a\":-}", "t.json:1: malformed number");
	expect("{\"a\":+1}", "t.json:1: unexpected character");
	expect("{\"a\":TRUE}", "t.json:1: unexpected character");
	expect("{\"a\":\"\\q\"}", "t.json:1: invalid string sequence");
	expect("{\"a\":\"\t\"}",
	       "t.json:1: control character in a string (write it as \\n or \\u000a)");
	expect("{\"a\\u0000b\":1}", "t.json:1: key contains a NUL character");
	expect("\xef\xbb\xbf{}", "t.json:1: unexpected character");
	expect("{\"a\":\"\xff\"}", "t.json:1: text is not valid UTF-8");
	expect("{\"a\":\"\xc3\"}", "t.json:1: text is not valid UTF-8");
	expect("{\"a\":\"\xed\xa0\x80\"}", "t.json:1: text is not valid UTF-8");
}

static void test_duplicate_keys(void **state UNUSED)
{
	expect("{\"int\":1,\n\"int\":2}", "t.json:2: int: key is there twice in one object");
	expect("{\"part\":{\"name\":\"a\"},\n\"parts\":[{\"name\":\"a\"},\n{\"name\":\"a\",\n"
	       "\"\\u006eame\":\"b\"}]}",
	       "t.json:4: parts[1].name: key is there twice in one object");
	expect("{\"a b\":{\"x\":1,\"y\":\"},{\",\"x\":1}}",
	       "t.json:1: [\"a b\"].x: key is there twice in one object");
}

static void test_bounds(void **state UNUSED)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct err err = ERR_INIT;
	struct thing t;

	strbuf_adds(&sb, "{\"a\":");
	for (int i = 0; i < 100; i++)
		strbuf_addc(&sb, '[');
	assert_int_equal(decode(&t, sb.buf, &err), -EBADMSG);
	assert_string_equal(err.msg, "t.json:1: nested deeper than 64 levels");

	strbuf_clear(&sb);
	strbuf_adds(&sb, "{\"a\":[");
	for (unsigned int i = 0; i <= JSON_VALUES_MAX; i++)
		strbuf_adds(&sb, "0,");
	assert_int_equal(decode(&t, sb.buf, &err), -EBADMSG);
	assert_string_equal(err.msg, "t.json:1: more than 1048576 values");

	/* The text is not looked at when it is too long. */
	assert_int_equal(json_decode(&thing_desc, &t, "", JSON_TEXT_MAX + 1, "t.json", &err),
			 -EBADMSG);
	assert_string_equal(err.msg, "t.json: document is larger than 16777216 bytes");
}

/* Each prefix of a document is refused, and each with one byte changed does no harm. */
static void test_damaged(void **state UNUSED)
{
	struct err err = ERR_INIT;
	auto_free char *copy = xstrdup(full);
	struct thing t;

	for (size_t n = 0; n < sizeof(full) - 1; n++) {
		char *part = xmemdup(full, n);

		assert_int_equal(json_decode(&thing_desc, &t, part, n, "t", &err), -EBADMSG);
		free(part);
	}
	for (size_t i = 0; i < sizeof(full) - 1; i++) {
		static const char bytes[] = "\"{}[],:\\0e.-\x80\n";

		for (size_t j = 0; j < sizeof(bytes); j++) {
			copy[i] = bytes[j];
			if (json_decode(&thing_desc, &t, copy, sizeof(full) - 1, "t", &err) == 0)
				json_done(&thing_desc, &t);
			copy[i] = full[i];
		}
	}
}

static void test_styles(void **state UNUSED)
{
	struct json_object *value = json_tokener_parse(
		"{\"a\":[1,{\"b\":[]}],\"c\":{},\"d\":\"x/\\\"\\\\\\n\\u0001\\u007f\\u00e9\"}");
	static const char expected[] =
		"{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n"
		"  \"c\": {},\n  \"d\": \"x/\\\"\\\\\\n\\u0001\x7f\xc3\xa9\"\n}";
	char *text = json_value_to_text(value, JSON_INDENT2);

	assert_string_equal(text, expected);
	free(text);
	text = json_value_to_text(value, JSON_COMPACT);
	assert_string_equal(text, "{\"a\":[1,{\"b\":[]}],\"c\":{},\"d\":\"x/\\\"\\\\\\n\\u0001\x7f"
				  "\xc3\xa9\"}");
	free(text);
	json_object_put(value);
	value = json_tokener_parse("{\"a\":1}");
	text = json_value_to_text(value, JSON_TABS);
	assert_string_equal(text, "{\n\t\"a\": 1\n}");
	free(text);
	text = json_value_to_text(value, JSON_INDENT4);
	assert_string_equal(text, "{\n    \"a\": 1\n}");
	free(text);
	json_object_put(value);
	text = json_value_to_text(NULL, JSON_COMPACT);
	assert_string_equal(text, "null");
	free(text);
}

static void test_encode_values(void **state UNUSED)
{
	struct thing t = { .opt_double = { true, 1e300 } };
	auto_free char *invalid = xstrdup("a\xff\xc3z");
	char *text = json_encode(&thing_desc, &t, JSON_COMPACT);

	assert_string_equal(text, "{\"optDouble\":1e+300}");
	free(text);
	t.opt_double.v = (double)INFINITY;
	t.text = invalid;
	text = json_encode(&thing_desc, &t, JSON_COMPACT);
	assert_string_equal(text, "{\"text\":\"a\xef\xbf\xbd\xef\xbf\xbdz\"}");
	free(text);
}

static void test_string_map(void **state UNUSED)
{
	struct json_string_map map = { 0 };
	char key[16];

	for (int i = 0; i < 9; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		json_string_map_set(&map, key, "v");
	}
	json_string_map_set(&map, "k3", "w");
	assert_int_equal(map.n, 9);
	assert_string_equal(json_string_map_get(&map, "k3"), "w");
	json_string_map_set(&map, "k3", map.v[3].value + 1);
	assert_string_equal(json_string_map_get(&map, "k3"), "");
	json_string_map_done(&map);
	json_string_map_done(&map);
	assert_null(json_string_map_get(&map, "k3"));
}

/* Lists that were decoded may be grown, by either way and in turn. */
static void test_growing(void **state UNUSED)
{
	struct thing t;

	for (size_t n = 0; n < 9; n++) {
		auto_strbuf struct strbuf sb = STRBUF_INIT;

		strbuf_adds(&sb, "{\"words\":[");
		for (size_t i = 0; i < n; i++)
			strbuf_adds(&sb, i ? ",\"w\"" : "\"w\"");
		strbuf_adds(&sb, "],\"parts\":[]}");
		assert_int_equal(decode(&t, sb.buf, NULL), 0);
		for (int i = 0; i < 3; i++) {
			json_strings_add(&t.words, &t.n_words, "x");
			assert_null(t.words[t.n_words]);
			*array_push(t.words, t.n_words) = xstrdup("y");
		}
		assert_int_equal(t.n_words, n + 6);
		for (int i = 0; i < 5; i++)
			array_push(t.parts, t.n_parts)->name = xstrdup("p");
		json_done(&thing_desc, &t);
	}
}

static void test_files(void **state UNUSED)
{
	char dir[] = "/tmp/floe-test-json.XXXXXX";
	struct err err = ERR_INIT;
	struct thing t;
	int dir_fd;
	int fd;

	assert_non_null(mkdtemp(dir));
	dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir_fd >= 0);
	assert_int_equal(json_decode_file(&thing_desc, &t, dir_fd, "a.json", &err), -ENOENT);
	assert_string_equal(err.msg, "read 'a.json': no such file or directory");
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_int_equal(json_decode_file(&thing_desc, &t, dir_fd, ".", &err), -EISDIR);
	assert_int_equal(json_decode_file(&thing_desc, &t, AT_FDCWD, "/dev/zero", &err), -EINVAL);
	assert_string_equal(err.msg, "read '/dev/zero': not a regular file");

	fd = openat(dir_fd, "a.json", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "{\"int\":\n\"\"}\n", 12), 12);
	assert_int_equal(json_decode_file(&thing_desc, &t, dir_fd, "a.json", &err), -EBADMSG);
	assert_string_equal(err.msg, "a.json:2: int: expected integer, got string");
	assert_int_equal(pwrite(fd, "{\"int\":\n12}\n", 12, 0), 12);
	assert_int_equal(json_decode_file(&thing_desc, &t, dir_fd, "a.json", &err), 0);
	assert_int_equal(t.i, 12);
	json_done(&thing_desc, &t);
	assert_int_equal(ftruncate(fd, JSON_TEXT_MAX + 1), 0);
	assert_int_equal(json_decode_file(&thing_desc, &t, dir_fd, "a.json", &err), -EBADMSG);
	assert_string_equal(err.msg, "a.json: document is larger than 16777216 bytes");
	close(fd);
	assert_int_equal(unlinkat(dir_fd, "a.json", 0), 0);
	close(dir_fd);
	assert_int_equal(rmdir(dir), 0);
}

static void test_locate(void **state UNUSED)
{
	static const char text[] =
		"{\"a\\\"{\": \"}],\\\\\",\n \"b\": [[1,\n2], {\"c\\u0064\":\n3}]}";
	const struct json_step b = { .key = "b" };
	const struct json_step b0 = { .parent = &b, .index = 0 };
	const struct json_step b01 = { .parent = &b0, .index = 1 };
	const struct json_step b1 = { .parent = &b, .index = 1 };
	const struct json_step cd = { .parent = &b1, .key = "cd" };
	const struct json_step none = { .parent = &b, .index = 2 };
	const struct json_step wrong = { .parent = &b, .key = "x" };
	const struct json_step quoted = { .key = "a\"{" };
	size_t n = sizeof(text) - 1;

	assert_int_equal(json_line_of_step(text, n, NULL), 1);
	assert_int_equal(json_line_of_step(text, n, &quoted), 1);
	assert_int_equal(json_line_of_step(text, n, &b), 2);
	assert_int_equal(json_line_of_step(text, n, &b01), 3);
	assert_int_equal(json_line_of_step(text, n, &b1), 3);
	assert_int_equal(json_line_of_step(text, n, &cd), 4);
	assert_int_equal(json_line_of_step(text, n, &none), 0);
	assert_int_equal(json_line_of_step(text, n, &wrong), 0);
	assert_int_equal(json_line_of_step(NULL, 0, &b), 0);
}

static void test_utf8(void **state UNUSED)
{
	assert_int_equal(utf8_sequence("a", 1), 1);
	assert_int_equal(utf8_sequence("", 0), 0);
	assert_int_equal(utf8_sequence("\xc3\xa9", 2), 2);
	assert_int_equal(utf8_sequence("\xc3\xa9", 1), 0);
	assert_int_equal(utf8_sequence("\xe2\x82\xac", 3), 3);
	assert_int_equal(utf8_sequence("\xf0\x9f\x98\x80", 4), 4);
	assert_int_equal(utf8_sequence("\xf4\x8f\xbf\xbf", 4), 4);
	assert_int_equal(utf8_sequence("\xf4\x90\x80\x80", 4), 0); /* above U+10FFFF */
	assert_int_equal(utf8_sequence("\xc0\x80", 2), 0); /* overlong */
	assert_int_equal(utf8_sequence("\xe0\x80\x80", 3), 0);
	assert_int_equal(utf8_sequence("\xf0\x80\x80\x80", 4), 0);
	assert_int_equal(utf8_sequence("\xed\xa0\x80", 3), 0); /* surrogate */
	assert_int_equal(utf8_sequence("\xe2\x28\xa1", 3), 0);
	assert_int_equal(utf8_sequence("\xe2\x82\x28", 3), 0);
	assert_int_equal(utf8_sequence("\x80", 1), 0);
}

static void assert_printable(const char *text, const char *expected)
{
	auto_free char *printable = utf8_printable(text);

	assert_string_equal(printable, expected);
}

static void test_printable(void **state UNUSED)
{
	assert_printable("", "");
	assert_printable("a b \xc3\xa9 \xf0\x9f\x98\x80", "a b \xc3\xa9 \xf0\x9f\x98\x80");
	assert_printable("a\nb\tc\rd", "a\\nb\\tc\\x0dd");
	assert_printable("\x1b[31m\x7f", "\\x1b[31m\\x7f");
	assert_printable("\xc2\x9b"
			 "1m",
			 "\\xc2\\x9b1m"); /* CSI */
	assert_printable("\xff"
			 "a\xc3",
			 "\\xffa\\xc3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_kinds),   cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_from_value),  cmocka_unit_test(test_absence),
		cmocka_unit_test(test_always),	    cmocka_unit_test(test_older_spelling),
		cmocka_unit_test(test_letter_case), cmocka_unit_test(test_type_errors),
		cmocka_unit_test(test_ranges),	    cmocka_unit_test(test_limits_pass),
		cmocka_unit_test(test_malformed),   cmocka_unit_test(test_duplicate_keys),
		cmocka_unit_test(test_bounds),	    cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_styles),	    cmocka_unit_test(test_encode_values),
		cmocka_unit_test(test_string_map),  cmocka_unit_test(test_growing),
		cmocka_unit_test(test_files),	    cmocka_unit_test(test_locate),
		cmocka_unit_test(test_utf8),	    cmocka_unit_test(test_member_order),
		cmocka_unit_test(test_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
