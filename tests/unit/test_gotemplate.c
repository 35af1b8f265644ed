/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/gotemplate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "core/macro.h"

static const char document[] =
	"{\"Id\":\"abc\",\"Names\":[\"a\",\"b\"],\"Size\":42,\"Zero\":0,\"Ratio\":1.5,"
	"\"State\":{\"Running\":true,\"Pid\":7,\"Health\":{\"Log\":[]}},"
	"\"Labels\":{\"z\":\"1\",\"a.b\":\"2\"},\"Nothing\":null,\"Empty\":\"\","
	"\"Ports\":[{\"h\":80,\"c\":8080},{\"h\":81,\"c\":8081}],\"Html\":\"<a&b>\","
	"\"Created\":\"2026-11-03T14:05:09.50719Z\",\"StartedAt\":\"2026-11-03T14:05:09+01:00\","
	"\"Fine\":0.7806787291955755}";

static void check(const char *text, const char *want)
{
	struct json_object *value = json_tokener_parse(document);
	auto_gotemplate struct gotemplate *t = NULL;
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct err err = ERR_INIT;

	assert_non_null(value);
	if (gotemplate_parse(&t, text, &err) < 0 || gotemplate_run(t, value, &out, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	if (strcmp(out.buf, want) != 0)
		fail_msg("%s: '%s', not '%s'", text, out.buf, want);
	json_object_put(value);
}

static void test_values(void **state UNUSED)
{
	check("plain", "plain");
	check("{{.Id}}-{{.ID}}", "abc-abc");
	check("{{ .State.Pid }}", "7");
	check("{{.Names}} {{.Labels}}", "[a b] map[a.b:2 z:1]");
	check("{{.Nothing}}", "<nil>");
	check("{{.Labels.none}}", "<no value>");
	check("{{.Ratio}} {{.State.Running}}", "1.5 true");
	check("{{\"q\\\"x\"}}{{`raw\\n`}}{{-5}}{{0x10}}", "q\"xraw\\n-516");
	check("{{true}} {{nil}}", "true <nil>");
	check("a {{- /* no */ -}} b", "ab");
	check("a  {{- .Id -}}  b", "aabcb");
	check("{{(index .Ports 1).c}}", "8081");
}

static void test_control(void **state UNUSED)
{
	check("{{if .State.Running}}yes{{else}}no{{end}}", "yes");
	check("{{if .Zero}}a{{else if .Size}}b{{else}}c{{end}}", "b");
	check("{{if .Empty}}a{{else if .Nothing}}b{{else}}c{{end}}", "c");
	check("{{range .Names}}<{{.}}>{{end}}", "<a><b>");
	check("{{range $i, $n := .Names}}{{$i}}{{$n}}{{$.Id}} {{end}}", "0aabc 1babc ");
	check("{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}", "a.b=2;z=1;");
	check("{{range .State.Health.Log}}x{{else}}none{{end}}", "none");
	check("{{range .Names}}{{if eq . \"b\"}}{{break}}{{end}}{{.}}{{end}}", "a");
	check("{{range .Names}}{{if eq . \"a\"}}{{continue}}{{end}}{{.}}{{end}}", "b");
	check("{{with .State}}{{.Pid}}{{end}}{{with .Nothing}}x{{else}}-{{end}}", "7-");
	check("{{$x := .Size}}{{if true}}{{$x = 1}}{{end}}{{$x}}", "1");
	check("{{range $p := .Ports}}{{$p.h}}:{{$p.c}} {{end}}", "80:8080 81:8081 ");
}

static void test_functions(void **state UNUSED)
{
	check("{{len .Names}} {{len .Id}} {{.Labels | len}}", "2 3 2");
	check("{{index .Labels \"a.b\"}} {{index .Names 1}}", "2 b");
	check("{{json .State}}", "{\"Running\":true,\"Pid\":7,\"Health\":{\"Log\":[]}}");
	check("{{.Id | upper | printf \"%s!\"}}", "ABC!");
	check("{{join .Names \", \"}}", "a, b");
	check("{{split \"a/b/c\" \"/\"}}", "[a b c]");
	check("{{title \"web server\"}} {{lower \"AbC\"}}", "Web Server abc");
	check("{{printf \"%5d|%-5s|%q|%05d|%.2f|%x|%v|%%\" .Size .Id .Id .Size .Ratio 255 .Names}}",
	      "   42|abc  |\"abc\"|00042|1.50|ff|[a b]|%");
	check("{{printf \"%#x|%#X|%#o|%x\" 255 255 8 -10}}", "0xff|0XFF|010|-a");
	check("{{printf \"% d|% d|%+d\" 255 -10 8}}", " 255|-10|+8");
	check("{{printf \"%.1e|%.2g|%e\" .Ratio .Ratio .Ratio}}", "1.5e+00|1.5|1.500000e+00");
	check("{{eq .Size 42}} {{eq .Id \"x\" \"abc\"}} {{ne .Id \"x\"}} {{lt 1 2}} {{ge 2 3}}",
	      "true true true true false");
	check("{{and .Size .Id}} {{or .Zero .Id}} {{not .Zero}}", "abc abc true");
	check("{{if and (gt .Size 40) (not .Zero)}}ok{{end}}", "ok");
	check("{{slice .Id 1 2}}{{truncate .Id 2}}", "bab");
	check("{{html .Html}} {{urlquery \"a b&\"}}", "&lt;a&amp;b&gt; a+b%26");
	check("{{print 1 2 \"x\" 3}}{{println \"a\" 1}}", "1 2x3a 1\n");
	check("{{pad .Id 1 2}}|", " abc  |");
}

static void test_errors(void **state UNUSED)
{
	static const char *const bad_syntax[] = {
		"{{.Id",	"{{if .Id}}",	    "{{end}}",	"{{else}}",
		"{{nofunc 1}}", "{{\"a}}",	    "{{}}",	"{{.Id | }}",
		"{{break}}",	"{{define \"x\"}}", "{{(.Id}}", "{{if .A}}{{else}}{{else}}{{end}}",
		"{{/* x }}",	"{{.Id)}}",	    "{{1a}}",	"{{#}}",
	};
	static const char *const bad_run[] = {
		"{{.None}}", "{{index .Names 5}}",    "{{len .Size}}",	   "{{$x}}",
		"{{.Id 1}}", "{{printf \"%d\" .Id}}", "{{lt .Id 1}}",	   "{{range .Size}}{{end}}",
		"{{.Id.x}}", "{{join .Id \",\"}}",    "{{printf \"%s\"}}", "{{printf \"%T\" .Id}}",
	};
	struct json_object *value = json_tokener_parse(document);

	for (size_t i = 0; i < ARRAY_SIZE(bad_syntax); i++) {
		struct gotemplate *t;
		struct err err = ERR_INIT;

		if (gotemplate_parse(&t, bad_syntax[i], &err) >= 0)
			fail_msg("accepted: %s", bad_syntax[i]);
		assert_int_equal(err.kind, ERR_USAGE);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad_run); i++) {
		auto_gotemplate struct gotemplate *t = NULL;
		auto_strbuf struct strbuf out = STRBUF_INIT;
		struct err err = ERR_INIT;

		if (gotemplate_parse(&t, bad_run[i], &err) < 0)
			fail_msg("%s", err.msg);
		if (gotemplate_run(t, value, &out, &err) >= 0)
			fail_msg("ran: %s: %s", bad_run[i], out.buf);
		assert_int_equal(err.kind, ERR_USAGE);
	}
	json_object_put(value);
}

static void test_nesting_is_bounded(void **state UNUSED)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct gotemplate *t;
	struct err err = ERR_INIT;

	strbuf_adds(&text, "{{");
	for (int i = 0; i < 10000; i++)
		strbuf_addc(&text, '(');
	assert_true(gotemplate_parse(&t, text.buf, &err) < 0);
}

static void test_lists(void **state UNUSED)
{
	struct json_object *rows = json_tokener_parse(
		"[{\"ID\":\"1\",\"CreatedAt\":\"x\"},{\"ID\":\"22\",\"CreatedAt\":\"\"}]");
	struct json_object *headings = json_tokener_parse("{\"ID\":\"IMAGE ID\"}");
	struct gotemplate_list list = { "table {{.ID}}\\t{{.CreatedAt}}", rows, headings, false };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(gotemplate_format_list(&list, &out, &err), 0);
	assert_string_equal(out.buf, "IMAGE ID    CREATED AT\n1           x\n22          \n");
	strbuf_clear(&out);
	list.format = "{{.ID}}\\t{{upper .CreatedAt}}";
	assert_int_equal(gotemplate_format_list(&list, &out, &err), 0);
	assert_string_equal(out.buf, "1\tX\n22\t\n");
	strbuf_clear(&out);
	list.format = "json";
	assert_int_equal(gotemplate_format_list(&list, &out, &err), 0);
	assert_non_null(strstr(out.buf, "\"CreatedAt\""));
	json_object_put(rows);
	json_object_put(headings);
}

/* Go's time.Time. */
static void test_times(void **state UNUSED)
{
	check("{{.Created}}", "2026-11-03 14:05:09.50719 +0000 UTC");
	check("{{.StartedAt}}", "2026-11-03 14:05:09 +0100 +0100");
	check("{{json .Created}}", "\"2026-11-03T14:05:09.50719Z\"");
	check("{{printf \"%.10s\" .Created}}", "2026-11-03");
	check("{{.Created.Unix}} {{.StartedAt.Unix}}", "1793714709 1793711109");
	check("{{.Created.UnixNano}} {{.Created.IsZero}}", "1793714709507190000 false");
	check("{{.Created.Year}}-{{.Created.Month}}-{{.Created.Day}} {{.Created.Weekday}}",
	      "2026-November-3 Tuesday");
	check("{{.Created.Format \"2006-01-02 15:04:05.000\"}}", "2026-11-03 14:05:09.507");
	check("{{.Created.Format \"Mon, 2 Jan 06 3:04PM MST\"}}", "Tue, 3 Nov 26 2:05PM UTC");
	check("{{.StartedAt.Format \"2006-01-02T15:04:05Z07:00\"}}", "2026-11-03T14:05:09+01:00");
	check("{{.Created.UTC.Unix}}", "1793714709");
	check("{{.Fine}}", "0.7806787291955755");
}

/* A row of methods around a document, as podman's tables have them. */
static void test_embedded(void **state UNUSED)
{
	struct json_object *row = json_tokener_parse("{\"ID\":\"ab\",\"Command\":\"sh\"}");
	struct json_object *rows = json_object_new_array();
	struct gotemplate_list list = { "{{json .}}", rows, NULL, false };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct err err = ERR_INIT;

	gotemplate_embed(row, "ListContainer",
			 json_tokener_parse("{\"Id\":\"abcd\",\"Command\":[\"sh\",\"-c\"]}"));
	gotemplate_add_empty(row, json_tokener_parse("{\"Absent\":\"\"}"));
	json_object_object_add(row, "CreatedAt", gotemplate_plain_text("2026-11-03T14:05:09Z"));
	json_object_array_add(rows, row);
	assert_int_equal(gotemplate_format_list(&list, &out, &err), 0);
	assert_string_equal(out.buf, "{\"Id\":\"abcd\",\"Command\":[\"sh\",\"-c\"]}\n");
	strbuf_clear(&out);
	list.format = "{{.ID}} {{.Id}} {{.Command}} {{.ListContainer.Command}} [{{.Absent}}] "
		      "{{.CreatedAt}} {{len .}}";
	assert_int_equal(gotemplate_format_list(&list, &out, &err), 0);
	assert_string_equal(out.buf, "ab abcd sh [sh -c] [] 2026-11-03T14:05:09Z 3\n");
	list.format = "{{.Nope}}";
	assert_int_not_equal(gotemplate_format_list(&list, &out, &err), 0);
	json_object_put(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_nesting_is_bounded),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_embedded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
