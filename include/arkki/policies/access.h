/* Access decisions: who may do what with which thing, and why.
 *
 * The interface that a Cedar engine fills later; policies/access.c holds the
 * spine's rules until then. Three questions:
 *   access_decide   one principal, one action, one known resource
 *   access_filter   the same with the resource left open: an expression over
 *                   indexed attributes, which the catalogue turns into SQL and
 *                   the index into a query, so that lists, totals and facets are
 *                   computed over what may be seen and never filtered afterwards
 *   access_explain  the decision in one sentence
 * Nothing is allowed that no rule permits.
 *
 * It knows attributes; not where they are stored. Threads: pure functions.
 * All strings of inputs are borrowed for the call.
 */
#ifndef ARKKI_POLICIES_ACCESS_H
#define ARKKI_POLICIES_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"

enum access_org_kind {
	ACCESS_ORG_STATE_AGENCY,
	ACCESS_ORG_COUNTY,
	ACCESS_ORG_MUNICIPALITY,
	ACCESS_ORG_OMBUDSMAN,
	ACCESS_ORG_PROVIDER,
};

enum access_role { /* bits */
	ACCESS_INSPECTOR = 1,
	ACCESS_REGISTRAR = 2,
	ACCESS_SUPERVISOR = 4,
	ACCESS_AUDITOR = 8,
	ACCESS_PLACER = 16,
	ACCESS_CONTACT = 32,
	ACCESS_ADMIN = 64,
	ACCESS_SYSTEM = 128,
};

enum access_action {
	ACCESS_LIST,         /* learn that it exists */
	ACCESS_READ,         /* metadata */
	ACCESS_READ_CONTENT, /* bytes, text */
	ACCESS_FILE,         /* a new document or version */
	ACCESS_AMEND,        /* change metadata */
	ACCESS_AUDIT,        /* read the access log */
	ACCESS_ADMINISTER,   /* status, load */
};

struct access_principal {
	const char *user;
	const char *org;
	enum access_org_kind org_kind;
	const char *const *counties; /* the organisation's */
	size_t counties_len;
	unsigned int roles; /* enum access_role */
};

/* A version of a document, a unit or a case. What is not known stays zero. */
struct access_resource {
	const char *publicity; /* "public" "partly-secret" "secret"; NULL: not a document */
	const char *author;    /* organisation id */
	const char *state;     /* "final" "draft" */
	const char *type;
	const char *const *units;
	size_t units_len;
	const char *const *counties; /* of the units */
	size_t counties_len;
	const char *const *addressees; /* organisations that it is addressed to */
	size_t addressees_len;
	const char *date;       /* YYYY-MM-DD */
	const char *visit_date; /* YYYY-MM-DD of an unannounced visit; NULL: none */
	bool rendition;         /* has a public rendition */
};

struct access_context {
	const char *purpose; /* NULL: none stated */
	bool case_covers;    /* the stated case covers one of the document's units */
};

enum access_outcome { ACCESS_DENY, ACCESS_PERMIT, ACCESS_NEEDS_PURPOSE };

struct access_decision {
	enum access_outcome outcome;
	const char *rule; /* static: the rule that determined it */
};

struct access_decision access_decide(const struct access_principal *p, enum access_action action,
    const struct access_resource *resource, const struct access_context *context);

/* ---- the open decision ---- */
enum access_attribute {
	ACCESS_ATTR_PUBLICITY,
	ACCESS_ATTR_COUNTY, /* of any of the units */
	ACCESS_ATTR_UNIT,
	ACCESS_ATTR_AUTHOR,
	ACCESS_ATTR_STATE,
	ACCESS_ATTR_TYPE,
	ACCESS_ATTR_ADDRESSEE,  /* an organisation that it is addressed to: of any */
	ACCESS_ATTR_UNIT_COUNT, /* "0" "1" … */
	ACCESS_ATTR_RENDITION,  /* "public" when there is a public rendition */
	ACCESS_ATTR_VISIT_DATE, /* a day YYYY-MM-DD, or missing */
	ACCESS_ATTR_DATE,       /* a day */
};
enum { ACCESS_ATTRIBUTES = ACCESS_ATTR_DATE + 1 };

enum access_op {
	ACCESS_OP_ALL,     /* admits everything */
	ACCESS_OP_NONE,    /* admits nothing */
	ACCESS_OP_HAS,     /* the attribute is, or contains, `value` */
	ACCESS_OP_PRESENT, /* a day is not missing (days only); no value */
	ACCESS_OP_UPTO,    /* a day is not missing and is `value` or earlier (days only) */
	ACCESS_OP_AND,
	ACCESS_OP_OR,
	ACCESS_OP_NOT, /* one child */
};

struct access_filter {
	enum access_op op;
	enum access_attribute attribute;
	char *value;
	struct access_filter **child;
	size_t children;
};

/* *ret is the caller's, ended with access_filter_free(). */
ARK_MUSTUSE int access_filter(const struct access_principal *p, enum access_action action,
    const struct access_context *context, struct access_filter **ret, struct ark_error *err);
void access_filter_free(struct access_filter *f);
/* What a principal sees of the documents: `any` admits the versions of which something may be shown,
 * `whole` those shown whole. Of the others in `any` the public rendition is shown. `any` admits
 * all that `whole` does. Borrowed. */
struct access_sight {
	struct access_filter *any, *whole;
};
/* What the filter says of a known resource: for tests and for the newest visible version. */
bool access_filter_admits(const struct access_filter *f, const struct access_resource *resource);

/* "permit: public documents are readable by every account" */
void access_explain(const struct access_decision *d, struct buf *out);

bool access_org_kind_parse(const char *name, enum access_org_kind *ret);
const char *access_org_kind_name(enum access_org_kind kind);
bool access_role_parse(const char *name, unsigned int *ret);

#endif
