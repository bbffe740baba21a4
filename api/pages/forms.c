#include "api/pages/forms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api/session.h"
#include "arkki/base/clock.h"
#include "arkki/base/text.h"

enum { STEP_LIFE_S = 600 };

/* ---- faults ---- */

void fault_add(struct faults *f, const char *field, const char *text)
{
	if (f->n == FAULTS_MAX)
		return;
	f->list[f->n].field = field;
	f->list[f->n].text = text;
	f->n++;
}

static const char *fault_of(const struct faults *f, const char *field)
{
	for (unsigned int i = 0; f && i < f->n; i++)
		if (strcmp(f->list[i].field, field) == 0)
			return f->list[i].text;
	return NULL;
}

void form_page(struct page *p, struct exchange *x, enum say title, const struct faults *f)
{
	enum http_language language = http_language(x);
	struct buf text = BUF_INIT;

	page_language(x, &language);
	if (f && f->n)
		buf_addf(&text, "%s: ", i18n_text(language, SAY_ERROR));
	buf_adds(&text, i18n_text(language, title));
	page_begin(p, x, text.data);
	buf_free(&text);
}

void form_summary(struct page *p, enum say failed, const struct faults *f)
{
	if (!f || !f->n)
		return;
	html_put(&p->h, "<div class=\"errors\" role=\"alert\"><h2>$</h2><ul>", say(p, failed));
	for (unsigned int i = 0; i < f->n; i++)
		html_put(&p->h, "<li><a href=\"#$\">$</a></li>", f->list[i].field, f->list[i].text);
	html_raw(&p->h, "</ul></div>");
}

/* ---- fields ---- */

void form_input(struct page *p, const struct form_input *in, const struct faults *f)
{
	const char *wrong = fault_of(f, in->name), *n = in->name;
	bool secret = strstr(in->autocomplete, "password") != NULL;
	bool code = strcmp(in->autocomplete, "one-time-code") == 0;

	html_put(&p->h, "<div class=\"field\"><label for=\"$\">$</label>", n, say(p, in->label));
	if (in->help != SAY_COUNT)
		html_put(&p->h, "<p class=\"hint\" id=\"$-help\">$</p>", n, say(p, in->help));
	if (wrong)
		html_put(&p->h,
		    "<p class=\"wrong\" id=\"$-wrong\"><span class=\"hidden\">$: </span>$</p>", n,
		    say(p, SAY_ERROR), wrong);
	html_put(&p->h,
	    "<input id=\"$\" name=\"$\" type=\"$\" autocomplete=\"$\" autocapitalize=\"none\" "
	    "spellcheck=\"false\" maxlength=\"$\" value=\"$\"",
	    n, n, secret ? "password" : "text", in->autocomplete, in->maxlength,
	    secret ? NULL : in->value);
	if (code)
		html_raw(&p->h, " class=\"short\"");
	if (wrong)
		html_raw(&p->h, " aria-invalid=\"true\"");
	if (wrong && in->help != SAY_COUNT)
		html_put(&p->h, " aria-describedby=\"$-wrong $-help\"", n, n);
	else if (wrong || in->help != SAY_COUNT)
		html_put(&p->h, " aria-describedby=\"$-$\"", n, wrong ? "wrong" : "help");
	html_raw(&p->h, "></div>");
}

void form_text(struct exchange *x, const char *name, char *ret, size_t size)
{
	const char *t = http_form(x, name);
	size_t len;

	ret[0] = '\0';
	if (!t)
		return;
	t += strspn(t, " \t\r\n");
	len = strlen(t);
	while (len && strchr(" \t\r\n", t[len - 1]))
		len--;
	if (len >= size)
		return;
	memcpy(ret, t, len);
	ret[len] = '\0';
}

void wait_text(const struct exchange *x, unsigned int seconds, struct buf *out)
{
	enum http_language language = http_language(x);
	unsigned int n = seconds < 60 ? seconds : (seconds + 59) / 60;
	const char *text, *at;

	page_language(x, &language);
	text =
	    i18n_text(language, i18n_plural(seconds < 60 ? SAY_WAIT_SECONDS : SAY_WAIT_MINUTES, n));
	at = strstr(text, "{0}");
	if (at)
		buf_addf(out, "%.*s%u%s", (int)(at - text), text, n, at + 3);
	else
		buf_adds(out, text);
}

const char *form_said(const struct exchange *x, enum say what)
{
	enum http_language language = http_language(x);

	page_language(x, &language);
	return i18n_text(language, what);
}

void form_go(struct exchange *x, const char *path)
{
	enum http_language language = http_language(x);

	page_language(x, &language);
	http_reply_headerf(x, "Location", "/%s%s", i18n_code(language), path);
	http_reply_empty(x, 303);
}

/* ---- a new password ---- */

void form_new_password(struct page *p, const struct faults *f)
{
	const struct form_input first = {.name = "new",
	    .label = SAY_PASSWORD_NEW,
	    .help = SAY_PASSWORD_RULES,
	    .autocomplete = "new-password",
	    .maxlength = "1024"};
	const struct form_input again = {.name = "again",
	    .label = SAY_PASSWORD_AGAIN,
	    .help = SAY_COUNT,
	    .autocomplete = "new-password",
	    .maxlength = "1024"};

	form_input(p, &first, f);
	form_input(p, &again, f);
}

enum say password_fault(const char *password)
{
	size_t len = strlen(password);

	if (!utf8_valid(password, len) || utf8_length(password, len) < PASSWORD_MIN)
		return SAY_PASSWORD_SHORT;
	return SAY_PASSWORD_COMMON;
}

bool form_new_password_typed(struct exchange *x, char ret[PASSWORD_MAX + 1], struct faults *f)
{
	const char *first = http_form(x, "new"), *again = http_form(x, "again");

	if (!first || strlen(first) > PASSWORD_MAX || !utf8_valid(first, strlen(first)) ||
	    utf8_length(first, strlen(first)) < PASSWORD_MIN)
		fault_add(f, "new",
		    form_said(x, first && strlen(first) > PASSWORD_MAX ? SAY_PASSWORD_LONG
								       : SAY_PASSWORD_SHORT));
	else if (!again || strcmp(first, again) != 0)
		fault_add(f, "again", form_said(x, SAY_PASSWORD_DIFFERS));
	else
		memcpy(ret, first, strlen(first) + 1);
	return f->n == 0;
}

/* ---- before anybody is signed in ---- */

static bool seed_sent(struct exchange *x, char out[FORM_SEED_SIZE])
{
	const char *c = cookie_get(x, "arkki-form");

	if (!c || strlen(c) != FORM_SEED_SIZE - 1 || !docid_valid(c))
		return false;
	memcpy(out, c, FORM_SEED_SIZE);
	return true;
}

void form_seed(struct exchange *x, char ret[FORM_SEED_SIZE])
{
	unsigned char random[16];

	if (seed_sent(x, ret))
		return;
	randombytes_buf(random, sizeof(random));
	hex_encode(ret, random, sizeof(random));
	cookie_set(x, "arkki-form", ret, 0);
}

void form_open_field(struct page *p, const char *seed)
{
	char form[33];

	page_form_token(app_of(p->x), "sign-in", seed, form);
	html_put(&p->h, "<input type=\"hidden\" name=\"form\" value=\"$\">", form);
}

bool form_open_sent(struct exchange *x)
{
	const char *given = http_form(x, "form");
	char seed[FORM_SEED_SIZE], form[33];

	if (!page_same_origin(x) || !given || strlen(given) != 32 || !seed_sent(x, seed))
		return false;
	page_form_token(app_of(x), "sign-in", seed, form);
	return bytes_equal(given, form, 32);
}

/* ---- the second step ---- */

void step_set(struct exchange *x, const char *user, int64_t password_us)
{
	struct buf sealed = BUF_INIT;
	char text[160];

	snprintf(text, sizeof(text), "%.64s %lld %lld", user, (long long)password_us,
	    (long long)clock_now_us());
	if (!archive_conceal(app_of(x)->archive, "sign-in-step", text, &sealed, NULL))
		cookie_set(x, "arkki-step", sealed.data, STEP_LIFE_S);
	buf_free(&sealed);
}

bool step_get(struct exchange *x, char ret_user[65])
{
	struct archive *a = app_of(x)->archive;
	const char *cookie = cookie_get(x, "arkki-step");
	struct credentials_summary now;
	struct buf text = BUF_INIT;
	char *end = NULL;
	int64_t password_us = 0, made_us = 0;
	size_t len;
	bool ok = false;

	if (!cookie || archive_reveal(a, "sign-in-step", cookie, &text, NULL))
		goto out;
	len = strcspn(text.data, " ");
	if (len > 64 || !text.data[len])
		goto out;
	memcpy(ret_user, text.data, len);
	ret_user[len] = '\0';
	password_us = strtoll(text.data + len, &end, 10);
	made_us = strtoll(end, NULL, 10);
	ok = clock_now_us() - made_us < (int64_t)STEP_LIFE_S * 1000000 &&
	     !credentials_summary(archive_state(a), ret_user, clock_now_us(), &now, NULL) &&
	     now.password_us == password_us && now.totp;
out:
	buf_free(&text);
	return ok;
}

void step_clear(struct exchange *x)
{
	cookie_set(x, "arkki-step", "", -1);
}

void step_show(struct exchange *x, const char *next)
{
	struct buf url = BUF_INIT;

	buf_adds(&url, "/sign-in/code");
	url_add(&url, "next", next);
	if (buf_failed(&url))
		http_reply_problem(x, 503, "out-of-memory", NULL, NULL);
	else
		form_go(x, url.data);
	buf_free(&url);
}
