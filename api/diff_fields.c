/* What differs between two records of metadata, and the pieces in which a difference of texts is shown. */
#include "api/diff.h"
#include "arkki/base/json.h"

/* ---- metadata ---- */

struct field {
	const char *name, *member; /* member of publicity, or NULL */
	bool narrow;
};

static const struct field all_fields[] = {
    {"title", NULL, false},
    {"publicTitle", NULL, false},
    {"type", NULL, true},
    {"units", NULL, true},
    {"case", NULL, false},
    {"date", NULL, true},
    {"visitDate", NULL, false},
    {"language", NULL, true},
    {"author", NULL, true},
    {"addressees", NULL, false},
    {"state", NULL, true},
    {"publicity.class", "class", true},
    {"publicity.ground", "ground", false},
    {"publicity.from", "from", false},
    {"publicity.until", "until", false},
};

/* Borrowed; null where it is not said, as it may be in either way. */
static json_t *value_of(const json_t *fields, const struct field *f)
{
	json_t *v = f->member ? json_object_get(json_object_get(fields, "publicity"), f->member)
			      : json_object_get(fields, f->name);

	return v ? v : json_null();
}

json_t *fields_differences(const json_t *before, const json_t *after, bool narrow)
{
	json_t *out = json_array();

	for (size_t i = 0; out && i < sizeof(all_fields) / sizeof(*all_fields); i++) {
		const struct field *f = &all_fields[i];
		json_t *a = value_of(before, f), *b = value_of(after, f), *one;

		if ((narrow && !f->narrow) || json_equal(a, b))
			continue;
		one = json_pack("{s:s,s:O,s:O}", "field", f->name, "before", a, "after", b);
		if (!one || json_array_append_new(out, one)) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

/* ---- the text ---- */

enum { FOLD_LEAST = 10 }; /* less is not worth a fold */

static void same_pieces(const struct word_run *r, uint64_t lead, uint64_t trail,
    void (*each)(void *arg, const struct piece *piece), void *arg)
{
	struct piece p = {PIECE_SAME, r->text, r->len, r->words};
	size_t head, tail;

	if (r->words < lead + trail + FOLD_LEAST) {
		each(arg, &p);
		return;
	}
	head = words_head(r->text, r->len, lead);
	tail = words_tail(r->text, r->len, trail);
	if (head) {
		p = (struct piece){PIECE_SAME, r->text, head, lead};
		each(arg, &p);
	}
	p = (struct piece){
	    PIECE_FOLDED, r->text + head, r->len - head - tail, r->words - lead - trail};
	each(arg, &p);
	if (tail) {
		p = (struct piece){PIECE_SAME, r->text + r->len - tail, tail, trail};
		each(arg, &p);
	}
}

void pieces_each(const struct word_diff *d, uint64_t context,
    void (*each)(void *arg, const struct piece *piece), void *arg)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct word_run *r = &d->runs[i];
		struct piece p = {
		    r->op == WORDS_ADDED ? PIECE_ADDED : PIECE_REMOVED, r->text, r->len, r->words};

		if (r->op == WORDS_SAME)
			same_pieces(r, i ? context : 0, i + 1 < d->n ? context : 0, each, arg);
		else
			each(arg, &p);
	}
}
