/* GET /v1/search/suggest: how the last word of a query may go on.
 *
 * Words of titles that the caller sees, terms of the field, names of units and of kinds of documents, and the
 * caller's own saved searches.
 *
 * It is logged. The terms and the registers are for everybody; but a word of a title is content, a child's name
 * may be among them, and who types two letters after another would read them all without a trace. So every
 * answer is one entry of kind `search` under the sight of a logged request, with what was typed; who
 * asks for them waits until typing pauses. What is under two letters reads nothing and is not logged.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/indexer.h"
#include "api/saved_searches.h"
#include "api/search_names.h"
#include "api/search_service.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"
#include "index/words.h"

enum { TYPED_MAX = 1000, USUAL = 10, MOST = 20, LETTERS_MIN = 2 };

struct suggesting {
	json_t *list;
	unsigned int limit;
	const char *typed; /* all of it */
	size_t before;     /* bytes of it before its last word */
	const char *last;
	const char *kind, *field; /* of what is being added */
	struct buf logged;
};

static void suggesting_free(void *arg)
{
	struct suggesting *s = arg;

	json_decref(s->list);
	buf_wipe_free(&s->logged);
	free(s);
}

static bool full(const struct suggesting *s)
{
	return json_array_size(s->list) >= s->limit;
}

static bool there(const struct suggesting *s, const char *query)
{
	size_t i;
	json_t *v;

	json_array_foreach(
	    s->list, i, v) if (strcmp(json_text(v, "query"), query) == 0) return true;
	return false;
}

/* `last`: what stands in the place of the last word. */
static void add(struct suggesting *s, const char *text, const char *last, const char *id)
{
	struct buf query = BUF_INIT;
	json_t *v;

	buf_add(&query, s->typed, s->before);
	buf_adds(&query, last);
	if (!full(s) && !buf_failed(&query) && !there(s, query.data)) {
		v = json_pack("{s:s,s:s,s:s,s:s*}", "kind", s->kind, "text", text, "query",
		    query.data, "id", id);
		json_array_append_new(s->list, v);
	}
	buf_wipe_free(&query);
}

/* ---- what there is ---- */

/* The index completes words of titles that it has yet to hear were hidden: while there may be such, each word is
 * looked for as searches are, without those documents. */
static int in_title(struct search_work *w, const char *word, bool *ret, struct ark_error *err)
{
	struct buf q = BUF_INIT;
	struct search_asked asked = {0};
	struct search_request r;
	uint64_t total = 1;
	int rc = ARK_OK;

	if (w->unsettled_len) {
		buf_addf(&q, "title:\"%s\"", word);
		asked.q = q.data;
		r = search_request_of(w, &asked);
		rc = buf_failed(&q) ? ark_fail(err, ARK_ENOMEM, "no memory for suggestions")
				    : search_total(w->desk->reader, &r, &total, err);
		buf_wipe_free(&q);
	}
	*ret = total > 0;
	return rc;
}

static int add_words(struct suggesting *s, struct search_work *w, struct ark_error *err)
{
	struct search_words words = {0};
	bool there_still;
	int rc = search_complete(w->desk->reader, w->sight, s->last, s->limit, &words, err);

	if (rc)
		return rc;
	s->kind = "word";
	for (size_t i = 0; !rc && i < words.len; i++) {
		rc = in_title(w, words.list[i].word, &there_still, err);
		if (!rc && there_still && strcmp(words.list[i].word, s->last) != 0)
			add(s, words.list[i].word, words.list[i].word, NULL);
	}
	search_words_clear(&words);
	return rc;
}

/* A term of several words is looked for as it is written. */
static int add_term(void *arg, enum analyse_language language, const char *term)
{
	struct suggesting *s = arg;

	(void)language;
	if (strcmp(term, s->last) != 0)
		add(s, term, term, NULL);
	return full(s);
}

static void add_named(void *arg, const char *id, const char *name)
{
	struct suggesting *s = arg;
	struct buf field = BUF_INIT;

	buf_addf(&field, "%s:%s", s->field, id);
	if (!buf_failed(&field))
		add(s, name, field.data, id);
	buf_free(&field);
}

static bool begins(const char *name, const char *prefix)
{
	char lower[ANALYSE_WORD_MAX + 1];

	words_lower(lower, name, strlen(name));
	return strncmp(lower, prefix, strlen(prefix)) == 0;
}

static void add_saved(struct suggesting *s, const struct visit *v)
{
	json_t *own = saved_searches_own(v->app, v->caller), *record;
	size_t i;

	s->kind = "search";
	json_array_foreach(own, i, record)
	{
		const char *name = json_text(record, "name"),
			   *q = json_text(json_object_get(record, "query"), "q");

		if (full(s) || !name || !begins(name, s->last))
			continue;
		json_array_append_new(
		    s->list, json_pack("{s:s,s:s,s:s,s:O}", "kind", s->kind, "text", name, "query",
				 q ? q : "", "id", json_object_get(record, "id")));
	}
	json_decref(own);
}

/* Each kind has its share, so that the words of titles do not leave the others out. */
static int gather(
    struct suggesting *s, struct visit *v, struct search_work *w, struct ark_error *err)
{
	static const struct {
		const char *kind, *field, *records;
	} named[] = {{"unit", "unit", "units"}, {"type", "type", "types"}};
	unsigned int limit = s->limit, share = limit / 5 + 1;
	int rc;

	s->limit = share;
	add_saved(s, v);
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
		s->limit = (unsigned int)json_array_size(s->list) + share;
		s->limit = s->limit < limit ? s->limit : limit;
		s->kind = named[i].kind;
		s->field = named[i].field;
		search_names_beginning(v->app, named[i].records, s->last, share, add_named, s);
	}
	s->limit = (unsigned int)json_array_size(s->list) + share;
	s->limit = s->limit < limit ? s->limit : limit;
	s->kind = "term";
	if (w->synonyms)
		(void)synonyms_begin_with(w->synonyms, s->last, add_term, s); /* non-zero: full */
	s->limit = limit;
	rc = add_words(s, w, err);
	return rc;
}

/* ---- the request ---- */

static void show(struct exchange *x)
{
	struct suggesting *s = visit_of(x)->more;

	http_reply_json(x, 200, json_pack("{s:O}", "suggestions", s->list));
}

/* Where the last word begins: behind a space, a sign, a quotation mark or a parenthesis. */
static size_t last_word(const char *typed)
{
	size_t at = strlen(typed);

	while (at > 0 && !strchr(" \t\n\"()+:", typed[at - 1]))
		at--;
	return typed[at] == '-' ? at + 1 : at;
}

static void answer(struct exchange *x, struct suggesting *s)
{
	struct visit *v = visit_of(x);
	struct search_work w = {0};
	struct ledger_record record = visit_record(v, "search");
	struct ark_error err = {0};
	int rc = search_work_begin(v, &w, &err);

	if (!rc)
		rc = gather(s, v, &w, &err);
	search_work_end(&w);
	buf_addf(&s->logged, "suggest: %s", s->typed);
	if (!rc && buf_failed(&s->logged))
		rc = ark_fail(&err, ARK_ENOMEM, "no memory for suggestions");
	if (rc) {
		search_failed(x, rc, &err);
		return;
	}
	record.query = s->logged.data;
	visit_log(x, &record, 1, show);
}

void search_suggest(struct exchange *x)
{
	const char *q = http_query(x, "q");
	struct visit *v = visit_of(x);
	char last[ANALYSE_WORD_MAX + 1];
	struct suggesting *s;
	unsigned int limit;

	if (!v || !visit_stated_ok(x) || !limit_of(x, USUAL, MOST, &limit) || !search_there(x))
		return;
	if (q && strlen(q) > TYPED_MAX) {
		http_reply_problem(x, 400, "bad-query", "q is over 1000 bytes.", NULL);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s || !(s->list = json_array())) {
		free(s);
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	v->more = s;
	v->more_free = suggesting_free;
	s->limit = limit;
	s->typed = q ? q : "";
	s->before = last_word(s->typed);
	words_lower(last, s->typed + s->before, strlen(s->typed + s->before));
	s->last = last;
	if (utf8_length(last, strlen(last)) < LETTERS_MIN)
		show(x);
	else
		answer(x, s);
}
