/* The web pages: what they share.
 *
 * A page is written into a struct page between page_begin() and page_end();
 * markup comes from html.h, sentences from i18n.h. Its language is that of its address: the
 * first segment of the path. Pages need no script (the one there is adds suggestions), and are not kept by caches.
 */
#ifndef ARKKI_API_PAGES_H
#define ARKKI_API_PAGES_H

#include "api/app.h"
#include "api/html.h"
#include "api/i18n.h"
#include "api/unit_words.h"

struct page {
	struct html h; /* first: html_… macros take &p->h */
	struct exchange *x;
	const struct caller *caller; /* NULL: nobody is signed in */
	enum http_language language;
};

/* ---- handlers (routes.c) ---- */
void page_root(struct exchange *x);
void page_sign_in(struct exchange *x);
void page_sign_in_post(struct exchange *x);
void page_sign_in_code(struct exchange *x);
void page_sign_in_code_post(struct exchange *x);
void page_join(struct exchange *x);
void page_join_post(struct exchange *x);
void page_sign_out(struct exchange *x);
void page_provider(struct exchange *x);
void page_account(struct exchange *x);
void page_account_confirm(struct exchange *x);
void page_account_confirm_post(struct exchange *x);
void page_account_password(struct exchange *x);
void page_account_password_post(struct exchange *x);
void page_second_factor(struct exchange *x);
void page_second_factor_post(struct exchange *x);
void page_recovery_post(struct exchange *x);
void page_session_end(struct exchange *x);
void page_sessions_end(struct exchange *x);
void page_token_post(struct exchange *x);
void page_token_revoke(struct exchange *x);
void page_accounts(struct exchange *x);
void page_accounts_confirm(struct exchange *x);
void page_account_open(struct exchange *x);
void page_account_open_post(struct exchange *x);
void page_account_one(struct exchange *x);
void page_account_change(struct exchange *x);
void page_account_state(struct exchange *x);
void page_account_link(struct exchange *x);
void page_account_take(struct exchange *x);
void page_search(struct exchange *x);
void page_saved(struct exchange *x);
void page_saved_post(struct exchange *x);
void page_saved_one(struct exchange *x);
void page_saved_remove(struct exchange *x);
void page_admin(struct exchange *x);
void page_admin_retry(struct exchange *x);
void page_admin_ocr(struct exchange *x);
void page_synonyms(struct exchange *x);
void page_synonyms_post(struct exchange *x);
void page_document(struct exchange *x);
void page_version(struct exchange *x);
/* The same for a reader who has stated a purpose and a case in the page's form; and the file. */
void page_document_open(struct exchange *x);
void page_version_open(struct exchange *x);
void page_file_open(struct exchange *x);
void page_purpose_end(struct exchange *x);
void page_document_seal(struct exchange *x);
void page_document_readers(struct exchange *x);
void page_document_readers_newest(struct exchange *x);
void web_asset(struct exchange *x);

/* ---- hooks of the server ---- */
/* Answers a problem with a page when the address is that of a page; false otherwise. */
bool page_problem(struct exchange *x, int status);
/* A page is asked for without a valid session: sends to the sign-in page and from there back. */
void page_refuse(struct exchange *x);
/* Sets app->assets_tag. */
void pages_start(struct app *app);

/* ---- layout.c ---- */
/* fi, sv or en when the path is that of a page; false otherwise. */
bool page_language(const struct exchange *x, enum http_language *ret);
/* Writes what the coming page has above its content ahead of time: while a log entry is made durable there is time for
 * it. It shows nothing of the archive but the caller's own name. */
void page_prepare(struct exchange *x);
/* Writes everything up to the <h1>, which is the page's. title is a plain text. */
void page_begin(struct page *p, struct exchange *x, const char *title);
/* The same with a feed of what the page shows. */
void page_begin_feed(struct page *p, struct exchange *x, const char *title, const char *feed);
/* Closes the page and replies. */
void page_end(struct page *p, int status);
const char *say(const struct page *p, enum say what);
/* A sentence with values: page_say(p, SAY_SHEET, number) */
#define page_say(p, what, ...)                                                                     \
	html_sentence(&(p)->h, say((p), (what)), (const char *const[]){__VA_ARGS__},               \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
/* Proof that a form came from a page of ours, for this use and this session. out: 33 bytes. */
void page_form_token(const struct app *app, const char *use, const char *session, char out[33]);
/* The hidden field of a form for this use, and whether the form that was sent has it and comes from here. */
void page_form_field(struct page *p, const char *use);
bool page_form_sent(struct exchange *x, const char *use);
/* What the browser says of where a POST comes from: false when from another site. */
bool page_same_origin(const struct exchange *x);

/* purpose_bar.c: for which cases this session reads, each with a button that ends it. */
void purpose_bar(struct page *p);

/* ---- addresses ---- */
/* Appends "&name=value" (or "?…" when there is no query yet); nothing for NULL or "". */
void url_add(struct buf *url, const char *name, const char *value);
/* Appends the path of this request in this language and its query. */
void url_of(struct buf *url, const struct exchange *x, enum http_language language);
/* Whether it is an address of a page of ours and nothing else: to go to after signing in. */
bool url_local(const char *url);

/* ---- names.c: what records are called ---- */
/* Writes the name of a record, with its language when that is not the page's. */
void page_name(struct page *p, const char *kind, const char *id);
/* Appends the plain name. */
void name_add(const struct page *p, struct buf *out, const char *kind, const char *id);
/* Appends what a county is called: the name of its organisation, where one is known. */
void county_add(const struct page *p, struct buf *out, const char *code);
/* For what pages say as others do. */
struct words page_words(const struct page *p);
/* Writes the names of the units, separated by commas. */
void page_units(struct page *p, const json_t *units);
/* The same, each a link to its page. */
void page_unit_links(struct page *p, const json_t *units);
/* lang="sv" when it is not the page's language; dir="auto" always: for what people wrote. */
void page_lang(struct page *p, const char *language);
/* Why a text is missing or not whole, as it is stored, in the language of the page. */
void page_reason(struct page *p, const char *stored);
/* Tags "secret", "draft": nothing for what is public and final. */
void page_tags(struct page *p, const char *publicity, const char *state);
enum say publicity_said(const char *publicity);
/* <time datetime="2026-03-12">12.3.2026</time> */
void page_date(struct page *p, const char *date);
void page_time(struct page *p, const char *rfc3339);

#endif
