/* Forms of the pages for signing in and for the own account: fields, what is wrong in them, and the proof that a form comes
 * from a page of ours while nobody is signed in. */
#ifndef ARKKI_API_PAGES_FORMS_H
#define ARKKI_API_PAGES_FORMS_H

#include "api/pages/pages.h"
#include "arkki/archive/credentials.h"

enum { FAULTS_MAX = 8 };
struct faults {
	unsigned int n;
	struct {
		const char *field; /* id of the input */
		const char *text;
	} list[FAULTS_MAX];
};
/* text: borrowed. */
void fault_add(struct faults *f, const char *field, const char *text);
/* page_begin() with "Error: " before the title where something is wrong. */
void form_page(struct page *p, struct exchange *x, enum say title, const struct faults *f);
/* The summary with links to the fields; nothing where nothing is wrong. */
void form_summary(struct page *p, enum say failed, const struct faults *f);

struct form_input {
	const char *name; /* and id */
	enum say label;
	enum say help;            /* SAY_COUNT: none */
	const char *autocomplete; /* "current-password" and "new-password" make it one */
	const char *value;        /* NULL: empty; never of a password */
	const char *maxlength;
};
void form_input(struct page *p, const struct form_input *in, const struct faults *f);
/* The value of a field without white space around it: "" when it is missing or does not fit. */
void form_text(struct exchange *x, const char *name, char *ret, size_t size);

/* "Wait 5 minutes": in the language of the page. */
void wait_text(const struct exchange *x, unsigned int seconds, struct buf *out);
/* A sentence in the language of the address. */
const char *form_said(const struct exchange *x, enum say what);
/* 303 to "/<language>" and this. */
void form_go(struct exchange *x, const char *path);
/* The fields for a new password, and what is wrong with what was typed there: false. Whether the archive accepts it is for
 * password_check_new(). */
void form_new_password(struct page *p, const struct faults *f);
bool form_new_password_typed(struct exchange *x, char ret[PASSWORD_MAX + 1], struct faults *f);
/* What password_check_new() did not like. */
enum say password_fault(const char *password);

/* ---- before anybody is signed in: the form is bound to a random cookie ---- */

void form_open_field(struct page *p, const char *seed);
/* The seed of this browser; makes one and sets its cookie when there is none. */
enum { FORM_SEED_SIZE = 33 };
void form_seed(struct exchange *x, char ret[FORM_SEED_SIZE]);
bool form_open_sent(struct exchange *x);

/* ---- the second step ---- */

/* Who has shown the password and owes the code: a sealed cookie of ten minutes, void when the password changes. */
void step_set(struct exchange *x, const char *user, int64_t password_us);
bool step_get(struct exchange *x, char ret_user[65]);
void step_clear(struct exchange *x);
/* 303 to the page that asks for the code. */
void step_show(struct exchange *x, const char *next);

#endif
