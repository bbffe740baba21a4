/* The own account: what its pages share. */
#ifndef ARKKI_API_PAGES_ACCOUNT_H
#define ARKKI_API_PAGES_ACCOUNT_H

#include "api/pages/forms.h"
#include "api/session.h"

/* May this session change the account now? A browser's session, not one begun with a token, that began or was confirmed
 * in the last 15 minutes; or one that is to set up its second factor. */
bool account_fresh(struct exchange *x);
/* The same, and the form is ours; else the answer is a page that says so, or that asks for the password and leads to `next`
 * ("/account"): false. use: of the form's token; NULL: no form. */
bool account_may_change(struct exchange *x, const char *use, const char *next);
/* Was it a sign-in of two factors? Else the answer is a page that asks for one: whoever has one factor only must not make of it
 * what counts as more: a token, recovery codes, a second factor of their own. */
bool account_strong(struct exchange *x);
/* Logs that a credential was changed (what: static, "password"), then goes on. */
void account_logged(struct exchange *x, const char *what, void (*then)(struct exchange *x));

/* account_tokens.c: the part of the page. */
void account_write_tokens(struct page *p);
/* A QR code as a picture, with alt for who does not see it. False: it cannot be made. */
bool qr_write(struct html *h, const char *text, const char *alt);

#endif
