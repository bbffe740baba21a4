#include "policies/cedar_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policies/cedar_extension.h"
#include "policies/cedar_text.h"

/* Any total order serves sets and lookups, and the shorter first is the cheapest. */
static int compare_texts(struct cedar_text a, struct cedar_text b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len == 0 || a.bytes == b.bytes ? 0 : memcmp(a.bytes, b.bytes, a.len);
}

/* Names of records are in the order of their bytes: printing shows it. */
static int compare_names(struct cedar_text a, struct cedar_text b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int d = n ? memcmp(a.bytes, b.bytes, n) : 0;

	return d ? d : (a.len > b.len) - (a.len < b.len);
}

int cedar_uid_compare(const struct cedar_uid *a, const struct cedar_uid *b)
{
	int d = compare_texts(a->type, b->type);

	return d ? d : compare_texts(a->id, b->id);
}

static int compare_sets(const struct cedar_value *a, const struct cedar_value *b)
{
	int d = 0;

	if (a->set.len != b->set.len)
		return a->set.len < b->set.len ? -1 : 1;
	for (size_t i = 0; !d && i < a->set.len; i++)
		d = cedar_compare(&a->set.items[i], &b->set.items[i]);
	return d;
}

static int compare_records(const struct cedar_value *a, const struct cedar_value *b)
{
	int d = 0;

	if (a->record.len != b->record.len)
		return a->record.len < b->record.len ? -1 : 1;
	for (size_t i = 0; !d && i < a->record.len; i++) {
		const struct cedar_member *x = &a->record.members[i], *y = &b->record.members[i];

		d = compare_names(x->name, y->name);
		if (!d)
			d = cedar_compare(&x->value, &y->value);
	}
	return d;
}

static int compare_addresses(const struct cedar_value *a, const struct cedar_value *b)
{
	if (a->ip_bits != b->ip_bits)
		return a->ip_bits < b->ip_bits ? -1 : 1;
	if (a->ip_prefix != b->ip_prefix)
		return a->ip_prefix < b->ip_prefix ? -1 : 1;
	return memcmp(a->ip, b->ip, a->ip_bits / 8);
}

int cedar_compare(const struct cedar_value *a, const struct cedar_value *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	switch (a->kind) {
	case CEDAR_BOOL:
		return (int)a->truth - (int)b->truth;
	case CEDAR_STRING:
		return compare_texts(a->text, b->text);
	case CEDAR_ENTITY:
		return cedar_uid_compare(&a->uid, &b->uid);
	case CEDAR_SET:
		return compare_sets(a, b);
	case CEDAR_RECORD:
		return compare_records(a, b);
	case CEDAR_IPADDR:
		return compare_addresses(a, b);
	case CEDAR_LONG:
	case CEDAR_DECIMAL:
	case CEDAR_DATETIME:
	case CEDAR_DURATION:
		break;
	}
	return (a->number > b->number) - (a->number < b->number);
}

/* ---- sets and records ---- */

/* Below this, sorting in place beats qsort(), which copies. */
enum { SHORT = 12 };

static int compare_items(const void *a, const void *b)
{
	return cedar_compare((const struct cedar_value *)a, (const struct cedar_value *)b);
}

static void sort_items(struct cedar_value *items, size_t n)
{
	if (n > SHORT) {
		qsort(items, n, sizeof(*items), compare_items);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct cedar_value v = items[i];
		size_t k = i;

		for (; k > 0 && cedar_compare(&items[k - 1], &v) > 0; k--)
			items[k] = items[k - 1];
		items[k] = v;
	}
}

struct cedar_value cedar_set_of(struct cedar_value *items, size_t n)
{
	struct cedar_value set = {.kind = CEDAR_SET};
	size_t len = 0;

	sort_items(items, n);
	for (size_t i = 0; i < n; i++)
		if (len == 0 || cedar_compare(&items[len - 1], &items[i]) != 0)
			items[len++] = items[i];
	set.set.items = items;
	set.set.len = len;
	return set;
}

static int compare_members(const void *a, const void *b)
{
	return compare_names(
	    ((const struct cedar_member *)a)->name, ((const struct cedar_member *)b)->name);
}

int cedar_record_of(
    struct cedar_member *members, size_t n, struct cedar_value *ret, struct ark_error *err)
{
	struct cedar_value record = {.kind = CEDAR_RECORD};

	if (n > 1)
		qsort(members, n, sizeof(*members), compare_members);
	for (size_t i = 1; i < n; i++)
		if (compare_names(members[i - 1].name, members[i].name) == 0)
			return ark_fail(err, ARK_EINPUT, "the record names \"%.*s\" twice",
			    cedar_shown(members[i].name), members[i].name.bytes);
	record.record.members = members;
	record.record.len = n;
	*ret = record;
	return ARK_OK;
}

const struct cedar_value *cedar_member_get(const struct cedar_value *record, struct cedar_text name)
{
	const struct cedar_member *m = record->record.members;
	size_t low = 0, high = record->record.len;

	if (high <= SHORT) { /* most lengths differ: no bytes are read */
		for (size_t i = 0; i < high; i++)
			if (cedar_text_equal(m[i].name, name))
				return &m[i].value;
		return NULL;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int d = compare_names(m[middle].name, name);

		if (d == 0)
			return &m[middle].value;
		if (d < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ---- printing ---- */

static void print_text(struct cedar_text t, struct buf *out)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.bytes[i];

		if (c == '"' || c == '\\')
			buf_addc(out, '\\');
		if (c == '\0')
			buf_adds(out, "\\0");
		else if (c == '\n')
			buf_adds(out, "\\n");
		else if (c == '\r')
			buf_adds(out, "\\r");
		else if (c == '\t')
			buf_adds(out, "\\t");
		else if (c < ' ' || c == 0x7f)
			buf_addf(out, "\\u{%x}", c);
		else
			buf_addc(out, (char)c);
	}
	buf_addc(out, '"');
}

static void print_set(const struct cedar_value *v, struct buf *out)
{
	buf_addc(out, '[');
	for (size_t i = 0; i < v->set.len; i++) {
		if (i)
			buf_adds(out, ", ");
		cedar_print(&v->set.items[i], out);
	}
	buf_addc(out, ']');
}

static void print_record(const struct cedar_value *v, struct buf *out)
{
	buf_addc(out, '{');
	for (size_t i = 0; i < v->record.len; i++) {
		if (i)
			buf_adds(out, ", ");
		print_text(v->record.members[i].name, out);
		buf_adds(out, ": ");
		cedar_print(&v->record.members[i].value, out);
	}
	buf_addc(out, '}');
}

void cedar_print(const struct cedar_value *v, struct buf *out)
{
	switch (v->kind) {
	case CEDAR_BOOL:
		buf_adds(out, v->truth ? "true" : "false");
		break;
	case CEDAR_LONG:
		buf_addf(out, "%" PRId64, v->number);
		break;
	case CEDAR_STRING:
		print_text(v->text, out);
		break;
	case CEDAR_ENTITY:
		buf_add(out, v->uid.type.bytes, v->uid.type.len);
		buf_adds(out, "::");
		print_text(v->uid.id, out);
		break;
	case CEDAR_SET:
		print_set(v, out);
		break;
	case CEDAR_RECORD:
		print_record(v, out);
		break;
	case CEDAR_DECIMAL:
	case CEDAR_IPADDR:
	case CEDAR_DATETIME:
	case CEDAR_DURATION:
		cedar_extension_print(v, out);
		break;
	}
}
