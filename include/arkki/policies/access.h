/* Access decisions: who may do what with which thing, and why.
 *
 * The rules are Cedar policies (policies/cedar.h); this is what the rest of
 * arkki asks of them. Three questions:
 *   access_decide   one principal, one action, one known resource
 *   access_filter   the same with the resource left open: an expression over
 *                   indexed attributes, which the catalogue turns into SQL and
 *                   the index into a query, so that lists, totals and facets are
 *                   computed over what may be seen and never filtered afterwards
 *   access_explain  the decision in one sentence
 * Nothing is allowed that no policy permits; a policy that fails permits nothing.
 *
 * It knows attributes; not where they are stored. Threads: struct access_rules is
 * immutable and shared; everything else is a pure function.
 * All strings of inputs are borrowed for the call.
 */
#ifndef ARKKI_POLICIES_ACCESS_H
#define ARKKI_POLICIES_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arkki/base/buf.h"
#include "arkki/base/error.h"
#include "arkki/policies/cedar.h"

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
enum { ACCESS_ROLES = 8 };

enum access_action {
	ACCESS_LIST,         /* learn that it exists */
	ACCESS_READ,         /* metadata */
	ACCESS_READ_CONTENT, /* bytes, text */
	ACCESS_READ_PUBLIC,  /* the public rendition and what of the metadata goes with it */
	ACCESS_FILE,         /* a new document or version */
	ACCESS_AMEND,        /* change metadata */
	ACCESS_REDACT,       /* file or withdraw the public rendition */
	ACCESS_ORDER,
	ACCESS_NOTIFY,
	ACCESS_HOLD,
	ACCESS_DISPOSE,
	ACCESS_AUDIT,      /* read the access log, all of it */
	ACCESS_AUDIT_OWN,  /* what of it concerns the own organisation */
	ACCESS_ADMINISTER, /* status, load, policies */
};
enum { ACCESS_ACTIONS = ACCESS_ADMINISTER + 1 };

/* A list of ids. */
struct access_ids {
	const char *const *id;
	size_t len;
};

struct access_principal {
	const char *user;
	const char *org;
	enum access_org_kind org_kind;
	unsigned int roles; /* enum access_role */
	/* the organisation and every one that it follows, itself first */
	struct access_ids orgs;
	/* of all of `orgs` */
	struct access_ids counties, municipalities;
	/* units: where one of `orgs` has a child placed today; whose provider is one of them; in
	 * the municipalities */
	struct access_ids placed_units, own_units, area_units;
	/* days on which both organisation and account are valid, both inclusive; NULL: open */
	const char *valid_from, *valid_until;
};

/* A version of a document. What is not known stays zero. A resource without `publicity` is the
 * archive itself: for audit and administer. */
struct access_resource {
	const char *id;        /* document id; NULL: a document that is being filed */
	const char *publicity; /* "public" "partly-secret" "secret"; NULL: not a document */
	const char *author;    /* organisation id */
	const char *state;     /* "final" "draft" */
	const char *type;
	struct access_ids units;
	struct access_ids counties;   /* of the units */
	struct access_ids addressees; /* organisations that it is addressed to */
	const char *date;             /* YYYY-MM-DD */
	const char *visit_date;       /* YYYY-MM-DD of an unannounced visit; NULL: none */
	bool rendition;               /* has a public rendition */
};

struct access_context {
	int64_t now_us;               /* 0: now */
	const char *purpose;          /* NULL: none stated */
	const char *case_id;          /* NULL: none stated */
	struct access_ids case_units; /* that the stated case covers */
	const char *break_glass;      /* the reason; NULL: not asked for */
	bool strong;                  /* strong authentication */
	const char *address;          /* of the client, as text; what is no address is left out */
};

enum access_outcome {
	ACCESS_DENY,
	ACCESS_PERMIT,
	ACCESS_NEEDS_PURPOSE, /* denied, but not with a purpose and a case that covers the document */
};

/* ---- the rules in force ---- */

struct access_rules;
/* Parses and validates. Every fault is told; ARK_EINPUT when there was any that is not a
 * warning. On success *ret is the caller's: access_rules_unref(). */
ARK_MUSTUSE int access_rules_new(const char *policies, size_t policies_len, const char *schema,
    size_t schema_len, cedar_fault_fn told, void *arg, struct access_rules **ret,
    struct ark_error *err);
struct access_rules *access_rules_ref(struct access_rules *r);
void access_rules_unref(struct access_rules *r); /* takes NULL */
const struct cedar_policies *access_rules_policies(const struct access_rules *r);
const struct cedar_schema *access_rules_schema(const struct access_rules *r);
/* Within a day the same answer at every hour and from every network: no policy looks at context.now
 * or context.network. */
bool access_rules_steady(const struct access_rules *r);

#define ACCESS_POLICIES_SHOWN 8
struct access_decision {
	enum access_outcome outcome;
	/* the policies that determined it (of r, in order; at most ACCESS_POLICIES_SHOWN are named); none: no
	 * policy permits it */
	uint32_t policies[ACCESS_POLICIES_SHOWN];
	size_t policies_len;
	size_t failures; /* policies that could not be evaluated and were skipped */
};
/* ARK_ENOMEM, …: *ret is a denial. */
ARK_MUSTUSE int access_decide(const struct access_rules *r, const struct access_principal *p,
    enum access_action action, const struct access_resource *resource,
    const struct access_context *context, struct access_decision *ret, struct ark_error *err);

/* ---- the open decision ---- */
enum access_attribute {
	ACCESS_ATTR_PUBLICITY,
	ACCESS_ATTR_COUNTY, /* of any of the units */
	ACCESS_ATTR_UNIT,
	ACCESS_ATTR_AUTHOR,
	ACCESS_ATTR_STATE,
	ACCESS_ATTR_TYPE,
	ACCESS_ATTR_ADDRESSEE,  /* of any */
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
ARK_MUSTUSE int access_filter(const struct access_rules *r, const struct access_principal *p,
    enum access_action action, const struct access_context *context, struct access_filter **ret,
    struct ark_error *err);
void access_filter_free(struct access_filter *f); /* takes NULL */
/* Admits nothing: for who may not ask at all. */
ARK_MUSTUSE int access_filter_none(struct access_filter **ret, struct ark_error *err);
/* What the filter says of a known resource. */
bool access_filter_admits(const struct access_filter *f, const struct access_resource *resource);

/* What a principal sees of the documents: `any` admits the versions of which something may be shown,
 * `whole` those shown whole (READ). Of the others in `any` the public rendition is shown
 * (READ_PUBLIC). Both ask LIST too. `any` admits all that `whole` does. Immutable and shared. */
struct access_sight {
	struct access_filter *any, *whole;
};
ARK_MUSTUSE int access_sight_new(const struct access_rules *r, const struct access_principal *p,
    const struct access_context *context, struct access_sight **ret, struct ark_error *err);
ARK_MUSTUSE int access_sight_none(struct access_sight **ret, struct ark_error *err); /* nothing */
struct access_sight *access_sight_ref(struct access_sight *s);
void access_sight_unref(struct access_sight *s); /* takes NULL */

/* "permit by state-agency-reads: State agencies read documents of every class. (JulkL 29 § 1 mom.)"; one
 * sentence, in the language ("fi" "sv" "en") where the policy has it. */
void access_explain(const struct access_rules *r, const struct access_decision *d,
    const char *language, struct buf *out);
/* The @id of a policy, or its number's name. */
const char *access_policy_id(const struct access_rules *r, uint32_t policy);
/* What it says, in the language where it has it, else in another; where it comes from. NULL: it does not say. */
const char *access_policy_sentence(
    const struct access_rules *r, uint32_t policy, const char *language);
const char *access_policy_statute(const struct access_rules *r, uint32_t policy);
const char *access_outcome_name(enum access_outcome outcome); /* "deny" "permit" "needs-purpose" */
/* Tells of every policy that partial evaluation cannot translate exactly for some action: such a policy
 * is decided more strictly, in reads too. */
void access_check_filters(const struct access_rules *r, cedar_fault_fn told, void *arg);

bool access_org_kind_parse(const char *name, enum access_org_kind *ret);
const char *access_org_kind_name(enum access_org_kind kind);
bool access_role_parse(const char *name, unsigned int *ret); /* its bit */
const char *access_role_name(unsigned int number);           /* 0: inspector, … */
bool access_action_parse(const char *name, enum access_action *ret);
const char *access_action_name(enum access_action action);
/* Else it is on the archive itself. */
bool access_action_on_documents(enum access_action action);

#endif
