/* Several files at once: what they have in common is said once; title, date and, where it is another, the diary number for each, as
 * its text proposes them. Each is filed by itself, and one that fails stops no other.
 *
 * Story: GET shows the first MANY_MAX that are not filed, by name. POST keeps what was typed, files those that are in order, and
 * shows the rest with one summary of what is wrong; where nothing is, the next ones. What is said once goes along ("shared" in
 * the draft of a file that is not shown yet).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/pages/document.h"
#include "api/pages/filing_many.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/text.h"

/* A person waits for the page: what is not read by then has its proposals the next time. */
enum { PROPOSE_ALL_US = 6 * 1000000 };

static void many_free(void *arg)
{
	struct many *m = arg;

	for (size_t i = 0; i < m->n; i++)
		upload_state_free(&m->files[i].u);
	for (size_t i = 0; i < m->done_n; i++)
		upload_state_free(&m->done[i]);
	json_decref(m->common);
	free(m->files);
	free(m->done);
	free(m);
}

/* ---- gathering ---- */

static int state_copy(struct upload_state *to, const struct upload_state *u)
{
	*to = *u;
	to->file_name = u->file_name ? strdup(u->file_name) : NULL;
	to->media_type = u->media_type ? strdup(u->media_type) : NULL;
	to->draft = json_deep_copy(u->draft);
	to->kept = strdup(u->kept);
	return to->draft && to->kept && (!u->file_name || to->file_name) &&
		       (!u->media_type || to->media_type)
		   ? 0
		   : ARK_ENOMEM;
}

static int gather(void *arg, const struct upload_state *u)
{
	struct many *m = arg;
	const char *batch = json_text(u->draft, "batch");

	if (!batch || strcmp(batch, m->batch) != 0 || m->n + m->done_n == MANY_ALL_MAX)
		return 0;
	return state_copy(u->document[0] ? &m->done[m->done_n++] : &m->files[m->n++].u, u);
}

/* As people number their files: 2 before 10. */
static int state_by_name(const void *a, const void *b)
{
	const struct upload_state *u = a, *w = b;
	int order = strverscmp(u->file_name ? u->file_name : "", w->file_name ? w->file_name : "");

	return order ? order : strcmp(u->id, w->id);
}

static int by_name(const void *a, const void *b)
{
	const struct many_file *f = a, *g = b;

	return state_by_name(&f->u, &g->u);
}

/* What the script has uploaded learns here what it is for; another tab may have said it first. */
static bool begin_one(struct exchange *x, struct upload_state *u)
{
	struct upload_state now = {0};
	struct ark_error err;
	int rc;

	if (json_object_get(u->draft, "for"))
		return true;
	draft_begin(u->draft, http_query_at(x, "unit", 0), http_query(x, "case"), NULL, NULL);
	rc = uploads_keep(x, u, &err);
	if (rc == ARK_ECONFLICT && !(rc = uploads_get(x, u->id, &now, &err))) {
		upload_state_free(u);
		*u = now;
	}
	if (rc)
		http_reply_error(x, &err);
	return !rc;
}

static size_t first_of(struct exchange *x, const struct many *m)
{
	const char *text = http_query(x, "from");
	unsigned long from = text ? strtoul(text, NULL, 10) : 0;

	if (from >= m->n)
		from = m->n ? (m->n - 1) / MANY_MAX * MANY_MAX : 0;
	return from;
}

/* The files of ?batch=; NULL: replied. */
static struct many *many_new(struct exchange *x, const char *batch)
{
	struct visit *v = visit_of(x);
	struct many *m = v ? calloc(1, sizeof(*m)) : NULL;
	struct ark_error err = {.status = ARK_ENOMEM};

	if (!m) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return NULL;
	}
	v->more = m;
	v->more_free = many_free;
	snprintf(m->batch, sizeof(m->batch), "%.32s", batch ? batch : "");
	m->files = calloc(MANY_ALL_MAX, sizeof(*m->files));
	m->done = calloc(MANY_ALL_MAX, sizeof(*m->done));
	if (!m->files || !m->done || uploads_each_ever(x, gather, m, &err)) {
		http_reply_error(x, &err);
		return NULL;
	}
	qsort(m->files, m->n, sizeof(*m->files), by_name);
	qsort(m->done, m->done_n, sizeof(*m->done), state_by_name);
	m->from = first_of(x, m);
	return m;
}

/* ---- what is said once ---- */

/* What the texts of the files on the page propose alike is proposed for all. */
static void agree(const struct many *m, const char *field, json_t *out)
{
	const json_t *same = NULL;

	for (size_t i = 0; i < m->n; i++) {
		const json_t *one =
		    m->files[i].now ? draft_proposal(m->files[i].u.draft, field, 0) : NULL;

		if (one && same && strcmp(json_text(one, "value"), json_text(same, "value")) != 0)
			return;
		same = one ? one : same;
	}
	if (same)
		json_array_append_new(out, json_pack("{s:s,s:O}", "field", field, "value",
					       json_object_get(same, "value")));
}

static const struct many_file *first_now(const struct many *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->files[i].now)
			return &m->files[i];
	return NULL;
}

static void take_common(struct many *m)
{
	static const char *const alike[] = {"type", "language", "diaryNumber"};
	const struct many_file *first = first_now(m);
	const json_t *shared = NULL;
	json_t *proposals = json_array();

	for (size_t i = 0; i < m->n && !shared; i++)
		shared = json_object_get(m->files[i].u.draft, "shared");
	m->common = first ? json_deep_copy(first->u.draft) : json_object();
	if (shared)
		json_object_update_new(m->common,
		    json_pack("{s:o,s:b}", "typed", json_deep_copy(shared), "submitted", 1));
	else if (json_is_true(json_object_get(m->common, "submitted")))
		draft_set(m->common, "case", draft_typed(m->common, "commonCase"));
	for (size_t i = 0; i < sizeof(alike) / sizeof(*alike); i++)
		agree(m, alike[i], proposals);
	json_object_set_new(m->common, "proposals", proposals);
}

/* What was said once stays for the files that come later. */
static void share(struct exchange *x, struct many *m)
{
	json_t *said = json_object();

	draft_read(x, said);
	for (size_t i = 0; i < m->n; i++) {
		struct many_file *f = &m->files[i];
		json_t *members;

		if (f->now)
			continue;
		members = json_pack("{s:O}", "shared", json_object_get(said, "typed"));
		/* without it the person says it once more */
		(void)!(members && uploads_note(x, &f->u, members, NULL));
		json_decref(members);
		break;
	}
	json_decref(said);
}

/* ---- proposals, one file after the other ---- */

struct reading { /* the visit's `more` meanwhile; first of all a sheet */
	struct sheet s;
	struct many *m;
	size_t at;
};

static void reading_free(void *arg)
{
	struct reading *r = arg;

	upload_state_free(&r->s.u);
	many_free(r->m);
	free(r);
}

static void propose_next(struct exchange *x, struct many *m);

static void one_proposed(struct exchange *x, struct sheet *s)
{
	struct reading *r = (struct reading *)s;
	struct visit *v = visit_of(x);
	struct many *m = r->m;

	m->files[r->at].u = s->u;
	v->more = m;
	v->more_free = many_free;
	free(r);
	m->at++;
	propose_next(x, m);
}

static void propose_one(struct exchange *x, struct many *m)
{
	struct visit *v = visit_of(x);
	struct reading *r = calloc(1, sizeof(*r));

	if (!r) {
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
		return;
	}
	r->m = m;
	r->at = m->at;
	r->s.u = m->files[m->at].u;
	m->files[m->at].u = (struct upload_state){0};
	v->more = r;
	v->more_free = reading_free;
	sheet_propose(x, &r->s, one_proposed);
}

static void propose_next(struct exchange *x, struct many *m)
{
	for (; m->at < m->n && clock_monotonic_us() < m->until_us; m->at++) {
		const struct many_file *f = &m->files[m->at];

		if (!f->now || f->u.offset != f->u.length ||
		    json_object_get(f->u.draft, "proposals"))
			continue;
		propose_one(x, m);
		return;
	}
	take_common(m);
	many_show(x, m);
}

void page_file_many(struct exchange *x)
{
	struct many *m;

	if (!filing_allowed(x))
		return;
	m = many_new(x, http_query(x, "batch"));
	if (!m)
		return;
	for (size_t i = m->from; i < m->n && i < m->from + MANY_MAX; i++) {
		m->files[i].now = true;
		if (!begin_one(x, &m->files[i].u))
			return;
	}
	m->until_us = clock_monotonic_us() + PROPOSE_ALL_US;
	if (m->n)
		propose_next(x, m);
	else if (m->done_n)
		many_show_done(x, m);
	else
		form_go(x, "/file");
}

void many_go(struct exchange *x, const struct many *m, size_t from)
{
	char path[100];

	snprintf(path, sizeof(path), "/file/many?batch=%s&from=%zu", m->batch, from);
	form_go(x, path);
}

/* ---- what was typed ---- */

/* Of "id:number id:number": false where it was kept since. */
static bool saved_same(struct exchange *x, const struct upload_state *u)
{
	const char *all = http_form(x, "saved"), *at = all ? strstr(all, u->id) : NULL;

	return !at || at[32] != ':' ||
	       strtoll(at + 33, NULL, 10) == json_integer_value(json_object_get(u->draft, "saved"));
}

static void read_fields(struct exchange *x, struct many_file *f)
{
	static const struct {
		const char *input, *field;
	} own[] = {{"title", "title"}, {"date", "date"}, {"case", "ownCase"}};
	char name[60], text[2100];

	draft_read(x, f->u.draft);
	draft_set(f->u.draft, "commonCase", draft_typed(f->u.draft, "case"));
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		snprintf(name, sizeof(name), "%s-%s", own[i].input, f->u.id);
		form_text(x, name, text, sizeof(text));
		draft_set(f->u.draft, own[i].field, text);
	}
	if (*draft_typed(f->u.draft, "ownCase")) {
		snprintf(text, sizeof(text), "%s", draft_typed(f->u.draft, "ownCase"));
		draft_set(f->u.draft, "case", text);
	}
	json_object_set_new(f->u.draft, "submitted", json_true());
	json_object_del(f->u.draft, "shared");
}

/* Takes what was typed, and keeps it unless something else was kept since the page was shown. False: replied. */
static bool keep_one(struct exchange *x, struct many_file *f)
{
	bool same = saved_same(x, &f->u);
	struct ark_error err;
	int rc = ARK_ECONFLICT;

	read_fields(x, f);
	if (same) {
		draft_saved_once_more(f->u.draft);
		rc = uploads_keep(x, &f->u, &err);
	}
	if (rc == ARK_ECONFLICT)
		fault_add(&f->f, "title", form_said(x, SAY_FILING_CLASH));
	else if (rc)
		http_reply_error(x, &err);
	return rc == ARK_OK || rc == ARK_ECONFLICT;
}

/* ---- filing ---- */

static void file_next(struct exchange *x, struct many *m);

static void one_filed(
    struct exchange *x, int status, const char *document, uint32_t version, const char *message)
{
	struct many *m = visit_of(x)->more;
	struct many_file *f = &m->files[m->at++];

	(void)version;
	(void)message;
	if (document && (!status || status == ARK_ECONFLICT))
		snprintf(f->u.document, sizeof(f->u.document), "%s", document);
	else
		fault_add(&f->f, "title", form_said(x, SAY_FILING_FAILED));
	file_next(x, m);
}

/* What is wrong in what is said once is said once. */
static void sort_faults(struct many *m, struct many_file *f)
{
	struct faults all = f->f;

	f->f.n = 0;
	for (unsigned int i = 0; i < all.n; i++) {
		const char *field = all.list[i].field;
		bool own = strcmp(field, "title") == 0 || strcmp(field, "date") == 0 ||
			   (strcmp(field, "case") == 0 && *draft_typed(f->u.draft, "ownCase"));
		bool there = false;

		for (unsigned int k = 0; !own && k < m->f.n; k++)
			there |= strcmp(m->f.list[k].field, field) == 0;
		if (!there)
			fault_add(own ? &f->f : &m->f, field, all.list[i].text);
	}
}

/* Why this file cannot be filed, into its faults; else its metadata. */
static json_t *in_order(struct exchange *x, struct many *m, struct many_file *f)
{
	json_t *fields = NULL;
	struct ark_error err;

	if (f->u.offset != f->u.length) {
		fault_add(&f->f, "title", form_said(x, SAY_FILING_INCOMPLETE));
		return NULL;
	}
	if (!draft_check(x, f->u.draft, NULL, &f->f, &fields)) {
		sort_faults(m, f);
		return NULL;
	}
	if (caller_decides(caller_of(x), app_of(x), ACCESS_FILE, fields, false, &err).outcome ==
	    ACCESS_PERMIT)
		return fields;
	fault_add(&f->f, "title", form_said(x, SAY_FILING_NOT_PERMITTED));
	json_decref(fields);
	return NULL;
}

static void all_tried(struct exchange *x, struct many *m)
{
	size_t kept = 0;
	bool rest = false;

	share(x, m);
	for (size_t i = 0; i < m->n; i++) {
		struct many_file *f = &m->files[i];

		if (f->u.document[0]) {
			m->done[m->done_n++] = f->u;
			continue;
		}
		rest |= f->now;
		m->files[kept++] = *f;
	}
	m->n = kept;
	if (!rest) {
		many_go(x, m, m->from);
		return;
	}
	take_common(m);
	draft_read(x, m->common); /* as it was sent */
	many_show(x, m);
}

/* A file that cannot be filed is passed over, with what is wrong in it. */
static void file_next(struct exchange *x, struct many *m)
{
	for (; m->at < m->n; m->at++) {
		struct many_file *f = &m->files[m->at];
		struct upload_filing wish = {.id = f->u.id};

		if (!f->now || f->f.n)
			continue;
		f->tried = true;
		wish.metadata = in_order(x, m, f);
		if (!wish.metadata)
			continue;
		uploads_file(x, &wish, one_filed);
		return;
	}
	all_tried(x, m);
}

static bool keep_all(struct exchange *x, struct many *m)
{
	char name[60];

	for (size_t i = 0; i < m->n; i++) {
		struct many_file *f = &m->files[i];

		snprintf(name, sizeof(name), "title-%s", f->u.id);
		f->now = http_form(x, name) != NULL;
		if (f->now && (!begin_one(x, &f->u) || !keep_one(x, f)))
			return false;
	}
	return true;
}

static bool any_clash(const struct many *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->files[i].f.n)
			return true;
	return false;
}

void page_file_many_post(struct exchange *x)
{
	const char *to = http_form(x, "to");
	struct many *m;

	if (!filing_allowed(x))
		return;
	if (!page_same_origin(x)) {
		http_reply_problem(x, 403, "form", NULL, NULL);
		return;
	}
	m = many_new(x, http_query(x, "batch"));
	if (!m || !keep_all(x, m))
		return;
	/* what was typed is kept in any case; a second sending of a page that was acted on finds nothing left */
	if (!m->n) {
		many_go(x, m, 0);
	} else if (!page_form_sent(x, "filing")) {
		fault_add(&m->f, "files", form_said(x, SAY_FORM_OLD));
		all_tried(x, m);
	} else if (to && strcmp(to, "keep") == 0 && !any_clash(m)) {
		share(x, m);
		many_go(x, m, m->from + MANY_MAX);
	} else if (to && strcmp(to, "keep") == 0) {
		all_tried(x, m);
	} else {
		file_next(x, m);
	}
}
