/* struct access_filter as an SQL condition. Only table and column names of
 * ours are written; every value of the filter is bound. */
#include "archive/catalogue_private.h"

#include "arkki/base/text.h"

enum { DEPTH_MAX = 16 };

void catalogue_query_name(
    struct query *q, const struct catalogue *c, const char *kind, const char *name)
{
	unsigned char bytes[16];
	char hex[33];

	if (!name) {
		query_blob(q, NULL, 0);
		return;
	}
	keyring_name(c->keys, kind, name, hex);
	if (!hex_decode(bytes, sizeof(bytes), hex, 32))
		q->failed = true;
	query_name(q, bytes);
}

static void column_is(struct query *q, const char *alias, const char *condition)
{
	query_sql(q, alias);
	query_sql(q, condition);
}

/* True and false, said of a column (newest is 0 or 1): SQLite folds a constant
 * false through the whole WHERE and then finds no plan for a named index. */
static void write_constant(struct query *q, const char *alias, bool value)
{
	column_is(q, alias, value ? ".newest >= 0" : ".newest < 0");
}

static void write_has(
    struct query *q, const struct catalogue *c, const struct access_filter *f, const char *alias)
{
	if (!f->value || !*f->value) { /* no attribute is, or contains, nothing */
		write_constant(q, alias, false);
		return;
	}
	switch (f->attribute) {
	case ACCESS_ATTR_PUBLICITY:
		column_is(q, alias, ".publicity = ?");
		query_text(q, f->value);
		break;
	case ACCESS_ATTR_STATE:
		column_is(q, alias, ".state = ?");
		query_text(q, f->value);
		break;
	case ACCESS_ATTR_TYPE:
		column_is(q, alias, ".type = ?");
		query_text(q, f->value);
		break;
	case ACCESS_ATTR_AUTHOR: /* IS: a version without an author is no NULL under a NOT */
		column_is(q, alias, ".author IS ?");
		catalogue_query_name(q, c, "orgs", f->value);
		break;
	case ACCESS_ATTR_COUNTY:
		query_sql(q, "EXISTS (SELECT 1 FROM version_county x WHERE x.id = ");
		column_is(q, alias, ".id AND x.county = ?)");
		catalogue_query_name(q, c, "counties", f->value);
		break;
	case ACCESS_ATTR_UNIT:
		query_sql(q, "EXISTS (SELECT 1 FROM version_unit x WHERE x.id = ");
		column_is(q, alias, ".id AND x.unit = ?)");
		catalogue_query_name(q, c, "units", f->value);
		break;
	case ACCESS_ATTR_ADDRESSEE:
	case ACCESS_ATTR_UNIT_COUNT:
	case ACCESS_ATTR_RENDITION:
	case ACCESS_ATTR_VISIT_DATE:
	case ACCESS_ATTR_DATE:
		write_constant(q, alias, false);
		break;
	}
}

static int write_filter(struct query *q, const struct catalogue *c, const struct access_filter *f,
    const char *alias, int depth, struct ark_error *err)
{
	bool every = f->op == ACCESS_OP_AND;
	int rc = ARK_OK;

	if (depth > DEPTH_MAX)
		return ark_fail(
		    err, ARK_EINPUT, "an access filter deeper than %d levels", DEPTH_MAX);
	query_sql(q, "(");
	switch (f->op) {
	case ACCESS_OP_ALL:
		write_constant(q, alias, true);
		break;
	case ACCESS_OP_HAS:
		write_has(q, c, f, alias);
		break;
	case ACCESS_OP_NOT:
		if (f->children != 1) {
			write_constant(q, alias, false);
			break;
		}
		query_sql(q, "NOT ");
		rc = write_filter(q, c, f->child[0], alias, depth + 1, err);
		break;
	case ACCESS_OP_AND:
	case ACCESS_OP_OR:
		if (f->children == 0)
			write_constant(q, alias, every);
		for (size_t i = 0; i < f->children && !rc; i++) {
			if (i)
				query_sql(q, every ? " AND " : " OR ");
			rc = write_filter(q, c, f->child[i], alias, depth + 1, err);
		}
		break;
	case ACCESS_OP_NONE:
	default:
		write_constant(q, alias, false);
	}
	query_sql(q, ")");
	return rc;
}

int catalogue_filter_sql(struct query *q, const struct catalogue *c, const struct access_filter *f,
    const char *alias, struct ark_error *err)
{
	return write_filter(q, c, f, alias, 0, err);
}
