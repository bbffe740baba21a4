/* What may be done to an order: verified, let lapse, opened again, its deadline moved. One form for each, with its own
 * button; what was typed comes back with what is wrong in it. */
#include "api/pages/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/base/json.h"
#include "arkki/base/text.h"

enum { CHOICES = 10 };

const char *const order_form_repeats[] = {"evidence", NULL};

static bool act_is(const struct order_typed *t, const char *act)
{
	return t && strcmp(t->act, act) == 0;
}

/* ---- what was typed ---- */

void order_typed_read(struct exchange *x, struct order_typed *ret)
{
	const char *act = http_form(x, "act"), *document;

	*ret = (struct order_typed){.act = act ? act : "", .evidence = json_array()};
	form_text(x, "reason", ret->reason, sizeof(ret->reason));
	form_text(x, "day", ret->day, sizeof(ret->day));
	form_text(x, "other", ret->other, sizeof(ret->other));
	for (unsigned int i = 0; (document = http_form_at(x, "evidence", i)) != NULL; i++)
		if (docid_valid(document) && json_array_size(ret->evidence) < ORDER_EVIDENCE_MAX)
			json_array_append_new(ret->evidence, json_string(document));
}

/* The document in an address of this archive, or its identifier: the last 32 hexadecimal digits in a row. */
static bool document_in(const char *text, char out[33])
{
	size_t len = strlen(text);

	for (size_t i = 0; i + 32 <= len; i++) {
		memcpy(out, text + i, 32);
		out[32] = '\0';
		if (docid_valid(out))
			return true;
	}
	return false;
}

static json_t *verify_body(struct exchange *x, const struct order_typed *t, struct faults *f)
{
	json_t *evidence = json_copy(t->evidence);
	char other[33];

	if (t->other[0] && !document_in(t->other, other))
		fault_add(f, "other", form_said(x, SAY_ORDER_PROOF_WRONG));
	else if (t->other[0])
		json_array_append_new(evidence, json_string(other));
	if (!json_array_size(evidence) && !t->reason[0] && !f->n)
		fault_add(f, "verify-reason", form_said(x, SAY_ORDER_PROOF_MISSING));
	if (!json_array_size(evidence)) {
		json_decref(evidence);
		evidence = NULL;
	}
	return json_pack("{s:s,s:o*,s:s*}", "state", "met", "evidence", evidence, "reason",
	    t->reason[0] ? t->reason : NULL);
}

static void need_reason(
    struct exchange *x, const struct order_typed *t, const char *field, struct faults *f)
{
	if (!t->reason[0])
		fault_add(f, field, form_said(x, SAY_ORDER_REASON_MISSING));
}

json_t *order_typed_body(struct exchange *x, const struct order_typed *t, struct faults *f)
{
	json_t *body = NULL;
	char day[11];

	if (act_is(t, "verify")) {
		body = verify_body(x, t, f);
	} else if (act_is(t, "lapse") || act_is(t, "reopen")) {
		need_reason(x, t, "state-reason", f);
		body = json_pack("{s:s,s:s}", "state", act_is(t, "lapse") ? "lapsed" : "open",
		    "reason", t->reason);
	} else if (act_is(t, "move")) {
		if (!i18n_date_read(t->day, day)) {
			fault_add(f, "day", form_said(x, SAY_ORDER_DAY_WRONG));
			day[0] = '\0';
		}
		need_reason(x, t, "move-reason", f);
		body = json_pack("{s:s,s:s}", "deadline", day, "reason", t->reason);
	} else {
		fault_add(f, "verify-reason", form_said(x, SAY_FORM_OLD));
	}
	if (!f->n)
		return body;
	json_decref(body);
	return NULL;
}

void order_faults_say(struct exchange *x, const json_t *faults, struct faults *f)
{
	const struct {
		const char *field, *input;
		enum say said;
	} known[] = {
	    {"evidence", "other", SAY_ORDER_PROOF_WRONG},
	    {"reason", "verify-reason", SAY_ORDER_REASON_MISSING},
	    {"deadline", "day", SAY_ORDER_DAY_WRONG},
	    {"text", "text", SAY_ORDER_TEXT_WRONG},
	    {"ground", "ground", SAY_ORDER_GROUND_WRONG},
	};
	json_t *fault;
	size_t i;

	json_array_foreach(faults, i, fault)
	{
		for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++)
			if (strcmp(json_text(fault, "field"), known[k].field) == 0)
				fault_add(f, known[k].input, form_said(x, known[k].said));
	}
	if (!f->n)
		fault_add(f, "verify-reason", form_said(x, SAY_FORM_OLD));
}

/* ---- the forms ---- */

static void form_begin(struct page *p, const json_t *order, const json_t *record, const char *act,
    enum say label, bool open)
{
	char base[24];

	snprintf(base, sizeof(base), "%lld",
	    (long long)json_integer_value(json_object_get(record, "revision")));
	html_put(&p->h, "<details class=\"act-form\"");
	if (open)
		html_raw(&p->h, " open");
	html_put(&p->h,
	    "><summary>$</summary><form class=\"stack\" method=\"post\" "
	    "action=\"/$/orders/$\" novalidate><input type=\"hidden\" name=\"act\" "
	    "value=\"$\"><input type=\"hidden\" name=\"base\" value=\"$\">",
	    say(p, label), i18n_code(p->language), json_text(order, "id"), act, base);
	page_form_field(p, "order");
}

static void form_close(struct page *p, enum say label)
{
	html_put(&p->h, "<div><button>$</button></div></form></details>", say(p, label));
}

static bool chosen(const struct order_typed *t, const json_t *order, const char *document)
{
	const json_t *list = t ? t->evidence : json_object_get(order, "evidence");
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		if (strcmp(json_string_value(v), document) == 0)
			return true;
	}
	return false;
}

static int write_choice(struct page *p, const struct orders_page *page, const char *document,
    bool checked, unsigned int number, struct ark_error *err)
{
	struct visit *v = visit_of(p->x);
	const struct catalogue_row *row = orders_row(page, document);
	struct card card = {0};
	char id[24];
	int rc = shown_card(v->app->archive, v->receipt, row, &card, err);

	if (rc)
		return rc;
	snprintf(id, sizeof(id), "evidence-%u", number);
	html_put(&p->h,
	    "<div class=\"choice\"><input type=\"checkbox\" id=\"$\" name=\"evidence\" value=\"$\"",
	    id, document);
	if (checked)
		html_raw(&p->h, " checked");
	html_put(&p->h, "><label for=\"$\"><span", id);
	page_lang(p, row->language);
	html_put(&p->h, ">$</span> (", json_text(card.fields, "title"));
	page_date(p, row->date);
	html_raw(&p->h, ")</label></div>");
	card_free(&card);
	return ARK_OK;
}

/* Those of the page but the order's own document: what is its evidence already, and the newest of its units. */
static int write_choices(struct page *p, const struct orders_page *page, const json_t *order,
    const struct order_typed *t, struct ark_error *err)
{
	const struct listing *l = page->listing;
	const char *own = json_text(order, "document");
	unsigned int n = 0;
	int rc = ARK_OK;

	for (size_t i = 0; !rc && i < l->n && n < CHOICES + ORDER_EVIDENCE_MAX; i++) {
		const char *document = l->rows[i].document;

		if (strcmp(document, own) == 0)
			continue;
		if (!n)
			html_put(&p->h, "<fieldset><legend>$</legend>",
			    say(p, SAY_ORDER_EVIDENCE_CHOOSE));
		rc = write_choice(p, page, document, chosen(t, order, document), ++n, err);
	}
	if (n)
		html_raw(&p->h, "</fieldset>");
	return rc;
}

static void write_reason(
    struct page *p, const char *id, enum say label, const char *value, const struct faults *f)
{
	const char *wrong = NULL;

	for (unsigned int i = 0; f && i < f->n; i++)
		if (strcmp(f->list[i].field, id) == 0)
			wrong = f->list[i].text;
	html_put(&p->h, "<div class=\"field\"><label for=\"$\">$</label>", id, say(p, label));
	if (wrong)
		html_put(&p->h,
		    "<p class=\"wrong\" id=\"$-wrong\"><span class=\"hidden\">$: </span>$</p>", id,
		    say(p, SAY_ERROR), wrong);
	html_put(&p->h,
	    "<textarea id=\"$\" name=\"reason\" rows=\"3\" maxlength=\"4000\" dir=\"auto\"", id);
	if (wrong)
		html_put(&p->h, " aria-invalid=\"true\" aria-describedby=\"$-wrong\"", id);
	html_put(&p->h, ">\n$</textarea></div>", value);
}

static int write_verify(struct page *p, const struct orders_page *page, const json_t *order,
    const json_t *record, const struct order_typed *t, const struct faults *f,
    struct ark_error *err)
{
	bool mine = act_is(t, "verify");
	struct form_input other = {.name = "other",
	    .label = SAY_ORDER_EVIDENCE_OTHER,
	    .help = SAY_COUNT,
	    .autocomplete = "off",
	    .value = mine ? t->other : "",
	    .maxlength = "300"};
	int rc;

	form_begin(p, order, record, "verify", SAY_ORDER_VERIFY, mine);
	html_put(&p->h, "<p class=\"hint\">$</p>", say(p, SAY_ORDER_VERIFY_HELP));
	rc = write_choices(p, page, order, mine ? t : NULL, err);
	form_input(p, &other, mine ? f : NULL);
	write_reason(
	    p, "verify-reason", SAY_ORDER_VERIFY_REASON, mine ? t->reason : "", mine ? f : NULL);
	form_close(p, SAY_ORDER_VERIFY);
	return rc;
}

static void write_move(struct page *p, const json_t *order, const json_t *record,
    const struct order_typed *t, const struct faults *f)
{
	bool mine = act_is(t, "move");
	struct form_input day = {.name = "day",
	    .label = SAY_ORDER_MOVE_TO,
	    .help = SAY_COUNT,
	    .autocomplete = "off",
	    .value = mine ? t->day : "",
	    .maxlength = "10"};

	form_begin(p, order, record, "move", SAY_ORDER_MOVE, mine);
	form_input(p, &day, mine ? f : NULL);
	write_reason(p, "move-reason", SAY_ORDER_REASON, mine ? t->reason : "", mine ? f : NULL);
	form_close(p, SAY_ORDER_MOVE);
}

int order_forms(struct page *p, const struct orders_page *page, const json_t *order,
    const json_t *record, const struct order_typed *t, const struct faults *f,
    struct ark_error *err)
{
	bool open = strcmp(json_text(order, "state"), "open") == 0;
	const char *act = open ? "lapse" : "reopen";
	enum say label = open ? SAY_ORDER_LAPSE : SAY_ORDER_REOPEN;
	bool mine = act_is(t, act);
	int rc = ARK_OK;

	html_put(&p->h, "<section aria-labelledby=\"change\"><h2 id=\"change\">$</h2>",
	    say(p, SAY_ORDER_CHANGE));
	if (open) {
		rc = write_verify(p, page, order, record, t, f, err);
		write_move(p, order, record, t, f);
	}
	form_begin(p, order, record, act, label, mine);
	write_reason(p, "state-reason", SAY_ORDER_REASON, mine ? t->reason : "", mine ? f : NULL);
	form_close(p, label);
	html_raw(&p->h, "</section>");
	return rc;
}
