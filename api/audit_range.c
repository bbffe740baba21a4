#include "api/audit_range.h"

#include "arkki/base/json.h"

int audit_disclose(
    struct ledger *l, uint64_t index, unsigned int letters, json_t **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc = disclosure_write(l, index, letters, &text, err);

	if (!rc)
		rc = json_read(text.data, text.len, ret, err);
	buf_wipe_free(&text);
	return rc;
}

int audit_range_begin(struct audit_range *range, struct ledger *l, struct ark_error *err)
{
	if (!range->document && !range->principal)
		return ARK_OK;
	for (int own = 0; own < 2; own++) {
		const struct ledger_series which = {range->document, range->principal, own};
		struct audit_series *s = &range->series[own];
		int rc = ledger_newest(l, &which, &s->of, &s->of_index, err);

		if (rc && rc != ARK_ENOTFOUND)
			return rc;
	}
	return ARK_OK;
}

void audit_range_note(struct audit_range *range, const struct ledger_entry *e)
{
	struct audit_series *s = &range->series[json_text(e->b, "series") != NULL];
	uint64_t n;

	if (!range->document && !range->principal)
		return;
	n = (uint64_t)json_integer_value(range->document
					     ? json_object_get(e->a, "documentSequence")
					     : json_object_get(e->b, "principalSequence"));
	if (!s->first)
		s->first = n;
	else if (!s->gap && n != s->last + 1)
		s->gap = s->last + 1;
	s->last = n;
	if (n > s->of) {
		s->of = n;
		s->of_index = e->index;
	}
}

static int show_series(const struct audit_range *range, struct ledger *l, bool own, bool whole,
    json_t *answer, struct ark_error *err)
{
	const struct audit_series *s = &range->series[own];
	json_t *shown, *last = NULL;
	int rc;

	/* that nobody ever asked is an answer too, but to the whole question only */
	if (!s->first && (own || s->of || !whole))
		return ARK_OK;
	shown = json_pack("{s:s,s:I,s:I,s:I}", "series", range->document ? "document" : "principal",
	    "first", (json_int_t)s->first, "last", (json_int_t)s->last, "of", (json_int_t)s->of);
	if (s->gap)
		json_object_set_new(shown, "gap", json_integer((json_int_t)s->gap));
	if (json_object_set_new(answer, own ? "ownRange" : "range", shown))
		return ark_fail(err, ARK_ENOMEM, "no memory for a range");
	if (!s->of || s->last != s->of)
		return ARK_OK;
	rc = audit_disclose(
	    l, s->of_index, range->document ? DISCLOSE_A : DISCLOSE_A | DISCLOSE_B, &last, err);
	if (!rc && json_object_set_new(answer, own ? "ownLast" : "last", last))
		rc = ark_fail(err, ARK_ENOMEM, "no memory for a disclosure");
	return rc;
}

int audit_range_show(const struct audit_range *range, struct ledger *l, bool whole, json_t *answer,
    struct ark_error *err)
{
	int rc = ARK_OK;

	if (!range->document && !range->principal)
		return ARK_OK;
	for (int own = 0; !rc && own < 2; own++)
		rc = show_series(range, l, own, whole, answer, err);
	return rc;
}
