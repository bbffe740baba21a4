/* arkki: one program, many commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arkki/base/version.h"
#include "arkki/index/extract.h"
#include "tools/cli.h"
#include "tools/service.h"

static const struct command {
	const char *name;
	int (*run)(const struct cli *c);
	const char *arguments, *what; /* what: NULL for what `arkki help` does not list */
} commands[] = {
    {"init", cmd_init, "DIR --root-key FILE --origin NAME",
	"make a new archive and its root key; keep the key on another machine too"},
    {"load", cmd_load, "DIR SEED.json",
	"add or update organisations, users, units, cases, placements"},
    {"org", cmd_org,
	"list DIR | show DIR ORG\n"
	"            add DIR ORG --kind KIND --name NAME [--name-sv NAME] [--name-en NAME] "
	"[--business-id Y-TUNNUS]\n"
	"                [--county C]… [--municipality M]… [--predecessor ORG]… [--from DAY] "
	"[--to DAY]\n"
	"                [--confirm-every DAYS|never] [--reason TEXT]\n"
	"            change DIR ORG, with what changes of these\n"
	"            confirm DIR ORG [--user ID] [--yes]",
	"organisations; KIND is state-agency, county, municipality, ombudsman or provider\n"
	"      show: the record, and its accounts with the day before which they are to be "
	"confirmed\n"
	"      change: what is named; an empty value takes it away, a repeated option is the whole "
	"list anew\n"
	"      confirm: say that all of its accounts are right; --user: as its contact person, "
	"else as the operator.\n"
	"      Accounts that nobody confirms are warned of 14 days before and then suspended"},
    {"user", cmd_user,
	"list DIR [--org ORG] [--state STATE] | show DIR ID\n"
	"             add DIR ID --org ORG --name NAME [--role ROLE]… [--email E] [--from DAY] "
	"[--to DAY]\n"
	"             change DIR ID [--name NAME] [--role ROLE]… [--email E] [--from DAY] [--to "
	"DAY] "
	"[--reason TEXT]\n"
	"             suspend|close DIR ID --reason TEXT | resume DIR ID | invite DIR ID\n"
	"             emergency DIR ORG --user ID --reason TEXT [--add NAME] [--days N] | sweep "
	"DIR",
	"accounts; ROLE is inspector, registrar, supervisor, auditor, placer, contact, admin or "
	"system, as the kind of\n"
	"      organisation allows. --user ID with all but emergency: with that account's rights, "
	"else the operator's\n"
	"      invite: print a link that works once: an invitation (7 days), or for an active "
	"account a new password (1 day)\n"
	"      close: for good; what signed it in is removed, its past stays, its id is never "
	"given "
	"again\n"
	"      emergency: a link for the contact person of an organisation that is locked out; "
	"--add opens the account,\n"
	"      or makes it a contact person and active again. The people of the organisation see "
	"it and the reason\n"
	"      sweep: warn of and suspend what was not confirmed now; a server does so every hour"},
    {"token", cmd_token,
	"create DIR --user ID [--days N] [--name TEXT] [--scope S]…\n"
	"              list DIR --user ID | revoke DIR TOKENID",
	"create: print a new bearer token for a user; scopes are read, file, audit, administer, "
	"accounts (all)\n"
	"      list: a user's tokens, never the secret; revoke: one stops at once"},
    {"certificate", cmd_certificate,
	"add DIR FILE.pem --user ID [--name TEXT] | list DIR | remove DIR ID",
	"which system account the holder of a client certificate is; for `serve --proxy`"},
    {"serve", cmd_serve,
	"DIR --listen HOST:PORT [--proxy unix:/path|127.0.0.1:PORT]\n"
	"            [--health unix:/path|127.0.0.1:PORT]",
	"serve the archive until SIGTERM\n"
	"      --proxy: listen there too, for a proxy that ends TLS and says which client "
	"certificates it verified\n"
	"      --health: answer /healthz /readyz /metrics /version there, without asking who asks"},
    {"import", cmd_import,
	"DIR --manifest FILE.jsonl --user ID\n"
	"               DIR --bag FILE|DIR --user ID [--unit U] [--type T] [--language L] "
	"[--publicity C] [--date D]",
	"file many documents; a killed import goes on where it stopped"},
    {"export", cmd_export,
	"DIR --user ID --to FILE|- [--unit U] [--case C] [--document D]… [--versions all]\n"
	"               [--query WORDS|JSON [--type T] [--language L] [--publicity P] [--from "
	"DAY]]\n"
	"               [--purpose P] [--format zip|tar]\n"
	"               verify FILE|DIR --vkey VKEY…",
	"write a BagIt package of what the user may see and read, each version logged; --query: of "
	"what the user\n"
	"      finds by it, JSON as POST /v1/search takes it\n"
	"      verify: check a package, its proofs and signatures, on any machine"},
    {"verify", cmd_verify, "DIR [--full]",
	"compare all that the archive says with all that it holds"},
    {"doctor", cmd_doctor, "DIR [--url URL [--ca FILE]]",
	"look whether an archive is set up and kept as it should be, served or not: sandbox, "
	"permissions,\n"
	"      encrypted volumes, copies of keys, witnesses, backup, clock; exit 1 when anything "
	"is bad\n"
	"      --url: also the address where people reach it: TLS, headers, cookies, what is open "
	"that "
	"should not be"},
    {"scrub", cmd_scrub, "DIR status|start|pause|--now",
	"read everything again in the background and name what is damaged; --now: at full speed, "
	"and wait"},
    {"repair", cmd_repair, "DIR --from MIRROR [--keys PATH] [--dry-run]",
	"put back what is damaged from a copy of the archive, a mirror of archive.git or a "
	"restored backup: "
	"only what\n"
	"      checks out; --keys: a copy of keys/, for key slots. The archive is not being "
	"served"},
    {"rebuild", cmd_rebuild, "DIR catalogue|index",
	"make the catalogue or the index anew from the store"},
    {"texts", cmd_texts,
	"DIR [--state none|pending|ready|ocr] [--reason TEXT]\n"
	"              DIR --retry --reason TEXT | --document D [--version N]",
	"list texts: document, version, form, state, media type, bytes, pages read/pictures/all, "
	"reason;\n"
	"      ocr: those with pages that wait for it. --retry: extract such texts again"},
    {"ocr", cmd_ocr, "DIR status|pause|resume",
	"how far the reading of pictures of text is; hold it up, or let it go on"},
    {"analyse", cmd_analyse, "--language fi|sv|en",
	"read words, one a line, and print the index terms of each"},
    {"log", cmd_log,
	"vkey DIR history|access [--all]\n"
	"            follow URL|DIR --vkey VKEY… --state FILE [--token FILE] "
	"[--witness-policy FILE] [--watch SECONDS]\n"
	"            prove FILE --vkey VKEY… [--disclosure FILE]",
	"vkey: print a log's verifier key (signed note); --all: every one that it had, with its "
	"span\n"
	"      follow: verify a log by its tiles, from what was seen last time; no key of the "
	"archive is needed\n"
	"      prove: check a disclosure, or a tlog-proof of what a disclosure shows, offline"},
    {"audit", cmd_audit,
	"canary DIR --user ID | --url URL --token FILE\n"
	"              --document D --out FILE [--purpose P] | --check FILE --vkey VKEY [--state "
	"FILE]\n"
	"              replay DIR --org O --unit U --at TIME [--role R] [--user ID] [--json FILE] "
	"[--html FILE]\n"
	"              subject DIR --case C | --unit U | --document D [--from T] [--to T] [--own] "
	"[--user ID]\n"
	"                      [--json FILE] [--html FILE]\n"
	"              replay|subject --check FILE --vkey HISTORY-VKEY [--vkey ACCESS-VKEY]",
	"canary: read a document and keep the receipt in a file; --check: is that read in the "
	"access log,\n"
	"      and (--state of log follow) in the one that was followed?\n"
	"      replay: a signed report of what an organisation could see at a time, and had "
	"opened\n"
	"      subject: a signed report of who processed a matter and why, by disclosures\n"
	"      --check: is such a report (JSON or page) what the archive signed?"},
    {"policy", cmd_policy,
	"show|cases DIR [--version N] | versions DIR\n"
	"               apply DIR FILE.cedar --user ID [--cases FILE.json] [--reason TEXT] "
	"[--dry-run] [--yes]\n"
	"               restore DIR [--version N | --shipped]\n"
	"               explain DIR --user ID --action A [--document D [--version N]] [--at TIME] "
	"[--purpose P]\n"
	"                   [--case C] [--break-glass REASON]\n"
	"               test FILE.json… [--root DIR] [--validate] | check FILE.cedar… [--schema "
	"FILE.cedarschema]",
	"show: print the policies in force, or an earlier version; cases: what they must decide\n"
	"      apply: tell what other policies would change, then put them in force\n"
	"      restore: put an earlier version in force, of an archive that is not being served\n"
	"      explain: say what a user may do, or could at a past time, and by which policies\n"
	"      test: run tests in the format of Cedar's integration tests; check: validate,\n"
	"      against arkki's own schema unless another is named; tells also what lists cannot "
	"ask"},
    {"provider", cmd_provider,
	"add DIR FILE.json [--offline] | list DIR | show DIR ID | remove DIR ID",
	"identity providers (OpenID Connect) at which an organisation's people sign in\n"
	"      add: asks the provider for its discovery document first, unless --offline; an id "
	"that is\n"
	"      there is changed; show: everything but the client secret; remove: ends its sessions "
	"too"},
    {"synonyms", cmd_synonyms,
	"show DIR [--version N] [--shipped] | versions DIR | check FILE.json\n"
	"               apply DIR FILE.json --user ID [--reason TEXT]",
	"show: print the words of an administrator that find each other in a search, or those that "
	"arkki ships\n"
	"      check: tell whether a table would be taken; apply: put it in force"},
    {"witness", cmd_witness,
	"DIR init --name NAME | DIR add-log VKEY [--origin ORIGIN] | DIR vkey\n"
	"               DIR serve --listen HOST:PORT",
	"be a witness of logs: init makes it and prints its verifier key, add-log lets it cosign "
	"a log,\n"
	"      serve answers add-checkpoint of c2sp.org/tlog-witness until SIGTERM"},
    {"witnesses", cmd_witnesses, "DIR",
	"what each witness of a served archive's logs has cosigned: name, log, entries, time, "
	"last error"},
    {"retention", cmd_retention,
	"show DIR [--version N] | apply DIR FILE.json --user ID [--reason TEXT]\n"
	"               due DIR --user ID [--at DAY]",
	"how long documents are kept; due: those whose period has ended, which the user may "
	"dispose of:\n"
	"      document, version, since when, by which row, what then, held, proposal"},
    {"dispose", cmd_dispose,
	"DIR run|status\n"
	"               DIR package --document D --user ID --to FILE|- [--purpose P] [--case C]",
	"run: make the packages of transfers, and destroy what two people have approved: the keys "
	"of all of it change;\n"
	"      it goes on where it stopped. A server does so by itself (dispose-every in "
	"arkki.conf); status: how things stand\n"
	"      package: fetch what was packaged of an approved transfer, for its receiver"},
    {"keys", cmd_keys,
	"status DIR | rotate DIR root|shards | rotate DIR signing history|access|git [--retire]\n"
	"              backup add DIR NAME PATH | list DIR | run DIR | remove DIR NAME [--yes]\n"
	"              split DIR --shares N-of-M [--out DIR2] | join --out FILE [DIR]",
	"rotate: make the root key and every shard anew, in the archive and in each key backup;\n"
	"      signing: and a new key for that log or for commits; a log's earlier one signs "
	"beside it for 30 days,\n"
	"      or until --retire\n"
	"      backup: copies of the keys elsewhere, which a change of keys and a destruction "
	"reach\n"
	"      split: write the root key as SLIP-39 shares, any N of M of which give it back; "
	"join: "
	"read them, a line each"},
    {"backup", cmd_backup, "DIR PLACE [--keep N] [--full] | --list PLACE",
	"bring what is new to a restore point in a directory, ssh://user@host/path or "
	"user@host:path;\n"
	"      never the keys: `arkki keys backup` does that. Also while the archive is being "
	"served"},
    {"restore", cmd_restore,
	"PLACE DIR --keys KEYBACKUP [--point ID]\n"
	"               --drill PLACE --keys KEYBACKUP [--point ID] [--out DIR]",
	"make an archive from a restore point and a key backup; --drill: try it in a directory of "
	"its own,\n"
	"      compare everything, print a signed report and remove it"},
    {"backup-receive", cmd_backup_receive, "PATH", NULL}, /* what ssh runs on the other machine */
    {"routes", cmd_routes, "", NULL},                     /* for tests/flow: not in the help */
    {"demo-build", cmd_demo_build, "TEXTS_DIR OUT_DIR", NULL},
};
enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static void print_help(FILE *to)
{
	fprintf(to, "arkki keeps supervision records: filed, found, read only by those allowed, "
		    "and provably unchanged.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].what)
			fprintf(to, "  arkki %s %s\n      %s\n", commands[i].name,
			    commands[i].arguments, commands[i].what);
	fprintf(to, "\nThe root key is given by --root-key FILE, ARKKI_ROOT_KEY_FILE or the "
		    "credential root.key of a systemd unit.\n"
		    "`arkki help COMMAND` tells of one command.\n"
		    "load, token, org, user, provider, import, verify, doctor, texts, ocr, "
		    "synonyms, keys and policy (but "
		    "restore) also work "
		    "while the archive is "
		    "being served.\n"
		    "Exit codes: 0 done, 1 refused or failed, 2 usage.\n");
}

/* `arkki serve --help`, `arkki help serve`. */
static int print_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0 && commands[i].what) {
			printf("usage: arkki %s %s\n      %s\n", name, commands[i].arguments,
			    commands[i].what);
			return CLI_OK;
		}
	fprintf(stderr, "arkki: there is no command %s; `arkki help` lists them\n", name);
	return CLI_USAGE;
}

int cli_usage(const char *command)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (command && strcmp(command, commands[i].name) == 0) {
			fprintf(stderr, "usage: arkki %s %s\n", command, commands[i].arguments);
			return CLI_USAGE;
		}
	fprintf(stderr, "usage: arkki COMMAND …; `arkki help` lists them\n");
	return CLI_USAGE;
}

int cli_failed(const struct ark_error *err)
{
	fprintf(stderr, "arkki: %s\n", err->text);
	return CLI_FAILED;
}

void cli_progress(void *arg, const char *step, uint64_t done, uint64_t of)
{
	bool terminal = isatty(STDERR_FILENO);

	(void)arg;
	fprintf(stderr, "%sarkki: %s", terminal ? "\r\033[K" : "", step);
	if (done || of)
		fprintf(stderr, " %llu", (unsigned long long)done);
	if (of)
		fprintf(stderr, " of %llu", (unsigned long long)of);
	if (!terminal || (of && done >= of))
		fputc('\n', stderr);
}

/* --name VALUE or --name=VALUE */
static const char *option(const char *name, char **argv, int *i)
{
	size_t n = strlen(name);

	if (strncmp(argv[*i], name, n) != 0)
		return NULL;
	if (argv[*i][n] == '=')
		return argv[*i] + n + 1;
	if (argv[*i][n] != '\0' || !argv[*i + 1])
		return NULL;
	return argv[++*i];
}

static bool parse(struct cli *c, char **argv)
{
	const struct {
		const char *name;
		const char **to;
	} options[] = {
	    {"--to", &c->to},
	    {"--unit", &c->unit},
	    {"--versions", &c->versions},
	    {"--format", &c->format},
	    {"--bag", &c->bag},
	    {"--type", &c->type},
	    {"--publicity", &c->publicity},
	    {"--date", &c->date},
	    {"--root-key", &c->root_key},
	    {"--origin", &c->origin},
	    {"--listen", &c->listen},
	    {"--proxy", &c->proxy},
	    {"--health", &c->health},
	    {"--scope", &c->scope},
	    {"--user", &c->user},
	    {"--days", &c->days},
	    {"--manifest", &c->manifest},
	    {"--language", &c->language},
	    {"--root", &c->root},
	    {"--schema", &c->schema},
	    {"--action", &c->action},
	    {"--document", &c->document},
	    {"--version", &c->version},
	    {"--reason", &c->reason},
	    {"--cases", &c->cases},
	    {"--state", &c->state},
	    {"--name", &c->name},
	    {"--shares", &c->shares},
	    {"--out", &c->out},
	    {"--at", &c->at},
	    {"--purpose", &c->purpose},
	    {"--query", &c->query},
	    {"--case", &c->case_id},
	    {"--break-glass", &c->break_glass},
	    {"--vkey", &c->vkey},
	    {"--token", &c->token},
	    {"--url", &c->url},
	    {"--disclosure", &c->disclosure},
	    {"--watch", &c->watch},
	    {"--witness-policy", &c->witness_policy},
	    {"--check", &c->check},
	    {"--keep", &c->keep},
	    {"--ca", &c->ca_file},
	    {"--keys", &c->keys},
	    {"--point", &c->point},
	    {"--org", &c->org},
	    {"--role", &c->role},
	    {"--from", &c->from},
	    {"--html", &c->html},
	    {"--json", &c->json},
	    {"--email", &c->email},
	    {"--kind", &c->kind},
	    {"--name-sv", &c->name_sv},
	    {"--name-en", &c->name_en},
	    {"--business-id", &c->business_id},
	    {"--county", &c->county},
	    {"--municipality", &c->municipality},
	    {"--predecessor", &c->predecessor},
	    {"--confirm-every", &c->confirm_every},
	    {"--add", &c->add},
	};

	const struct {
		const char *name;
		bool *to;
	} flags[] = {
	    {"--full", &c->full},
	    {"--validate", &c->validate},
	    {"--dry-run", &c->dry_run},
	    {"--yes", &c->yes},
	    {"--shipped", &c->shipped},
	    {"--offline", &c->offline},
	    {"--retry", &c->retry},
	    {"--list", &c->list},
	    {"--drill", &c->drill},
	    {"--own", &c->own},
	    {"--all", &c->all},
	    {"--retire", &c->retire},
	    {"--now", &c->now},
	};

	c->root_key = getenv("ARKKI_ROOT_KEY_FILE");
	if (!c->root_key)
		c->root_key = service_credential("root.key", c->credential, sizeof(c->credential));
	for (int i = 0; argv[i]; i++) {
		bool taken = false;

		for (size_t k = 0; !taken && k < sizeof(flags) / sizeof(*flags); k++)
			if (strcmp(argv[i], flags[k].name) == 0)
				taken = *flags[k].to = true;
		for (size_t k = 0; !taken && k < sizeof(options) / sizeof(*options); k++) {
			const char *value = option(options[k].name, argv, &i);

			if (value) {
				*options[k].to = value;
				c->said[c->said_len++] =
				    (struct cli_option){options[k].name, value};
				taken = true;
			}
		}
		if (taken)
			continue;
		if (argv[i][0] == '-' && argv[i][1]) {
			fprintf(stderr, "arkki: unknown or incomplete option %s\n", argv[i]);
			return false;
		}
		c->words[c->words_len++] = argv[i];
	}
	return true;
}

static int run(struct cli *c, char **argv)
{
	if (!parse(c, argv + 2))
		return cli_usage(c->command);
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(c->command, commands[i].name) == 0)
			return commands[i].run(c);
	return cli_usage(NULL);
}

int main(int argc, char **argv)
{
	struct cli c = {0};
	int status;

	umask(0077); /* what arkki writes is its owner's alone */
	if (argc < 2)
		return cli_usage(NULL);
	if (strcmp(argv[1], EXTRACT_CHILD_COMMAND) == 0)
		return extract_child_main(argc, argv);
	if (strcmp(argv[1], "help") == 0 && argc == 3)
		return print_command(argv[2]);
	if (argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0))
		return print_command(argv[1]);
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0) {
		print_help(stdout);
		return CLI_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("arkki " ARKKI_VERSION ", archive format %d\n", ARCHIVE_FORMAT);
		return CLI_OK;
	}
	c.command = argv[1];
	c.words = calloc((size_t)argc, sizeof(*c.words));
	c.said = calloc((size_t)argc, sizeof(*c.said));
	if (!c.words || !c.said) {
		fprintf(stderr, "arkki: no memory\n");
		free(c.words);
		free(c.said);
		return CLI_FAILED;
	}
	status = run(&c, argv);
	free(c.words);
	free(c.said);
	return status;
}
