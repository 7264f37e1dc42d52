#include "cli/cli.h"

struct page {
    const char *command, *text;
};

static const struct page PAGES[] = {
    {"serve",
        "usage: gate1367 serve -c gate.json\n"
        "       gate1367 serve --mirror -c gate.json [--json]\n"
        "       gate1367 serve --mirror -c gate.json [--json] CAPTURE…\n\n"
        "Runs the gateway in the foreground. Prints one line \"ready: https://ADDRESS:PORT … admin http://…\" on stderr when\n"
        "every listener accepts, and notifies systemd. A port of 0 is allowed and printed resolved.\n\n"
        "signals: SIGHUP loads the files again (the old configuration stays, with the reason in the log, where the new one\n"
        "does not pass `check`); SIGTERM and SIGINT drain and end.\n\n"
        "--mirror answers nobody: it takes a copy of the requests (nginx: mirror), asks the origin itself, judges the answers as\n"
        "a restricted recipient's and replies with an empty 204. The report (text, or JSON with --json) is printed at the end and\n"
        "can be read at any time from the admin address, /mirror. CAPTURE is a HAR file, or JSON Lines of {\"target\", \"method\",\n"
        "\"status\", \"type\", \"body\"}; nothing is asked then.\n\n"
        "  -c, --config FILE   the configuration\n"
        "  --mirror            judge copies or captures, answer nobody\n"
        "  --json              the mirror's report as JSON\n\n"
        "exit: 0 ended in good order, 1 the configuration is wrong, 2 no ledger, no listener, 74 the ledger could not be\n"
        "written.\n"},
    {"check",
        "usage: gate1367 check -c gate.json [--json]\n\n"
        "Loads everything that serve would, secrets included, and reports every problem of every file at once as\n"
        "FILE:LINE:COLUMN: /json/pointer: what is wrong; what would be right.\n\n"
        "  -c, --config FILE   the configuration\n"
        "  --json              one object a line\n\n"
        "exit: 0 good, 1 problems, 2 usage.\n"},
    {"demo",
        "usage: gate1367 demo [--keep]\n\n"
        "Starts an embedded record API with generated people, a gateway before it with generated certificates, and asks as\n"
        "four recipients; then shows the ledger, verifies it, and catches a tampered copy.\n\n"
        "  --keep   leave it running and print curl commands; Ctrl-C ends it\n"},
    {"scan",
        "usage: gate1367 scan -c gate.json --recipient ID [--route PATH] [--write DIR] [--json] FILE…\n\n"
        "Says what the gateway would do with these files if the recipient were to get them: review before public release, or\n"
        "check of a system before it is deployed. The configuration's rules and the registry in force decide, live changes\n"
        "included. Files are .json, .ndjson, .jsonl; directories are read whole, - is stdin. Nothing is recorded.\n\n"
        "  -c, --config FILE   the configuration\n"
        "  --recipient ID   an id of recipients.json, or anonymous; who may be entitled is taken to name a purpose\n"
        "  --route PATH     the files are answers to this path of the configuration; with a / at its end each file's own name\n"
        "                   is added. Without it nothing describes them and they are inspected whole: what is found\n"
        "                   withholds the element of a list, the line, or the document\n"
        "  --write DIR      writes what would be delivered; a file that would be withheld whole is not written\n"
        "  --type TYPE      media type of the files, where their names do not say\n"
        "  --jobs N         how many at once; as many as there are processors\n"
        "  --json           one object a line, for every file\n\n"
        "exit: 0 all of it would be delivered, 1 something would be withheld, replaced or reported, or cannot be read as what\n"
        "it says it is, 2 usage, or a file could not be opened or written: the scan is not complete.\n"},
    {"rules",
        "usage: gate1367 rules test PACK… [--json]\n"
        "       gate1367 rules lint PACK… [--json]\n"
        "       gate1367 rules explain FILE PACK… --profile P --recipient restricted|entitled [--protected VALUE,…] [options]\n"
        "       gate1367 rules explain FILE -c gate.json --profile P --recipient ID [options]\n"
        "       gate1367 rules replay CAPTURE… -c gate.json --rules PACK,… [--json]\n"
        "       gate1367 rules print PACK…\n"
        "       gate1367 rules schema [rules|gate|recipients|registry-source]\n\n"
        "Give packs in the order of gate.json. test runs the tests that every identifier, marker and profile carries, through\n"
        "the gateway's reader, matcher and engine. lint remarks on what is allowed but unwise, each with what to do. explain\n"
        "tells what becomes of a document: each finding, its path, rule, registry kind, unit and what follows; values are not\n"
        "shown. With -c it asks the registry in force. replay judges captured traffic (HAR, or JSON Lines as a mirror\n"
        "reads them) under new packs beside those in force, and tells where a restricted recipient would get another answer. print writes the packs in one spelling, to be compared; schema the JSON\n"
        "Schema of a file.\n\n"
        "  -c FILE            the configuration, with its rules, recipients and registry\n"
        "  --profile P        the profile that describes the document\n"
        "  --recipient ID     who asks: an id of recipients.json or anonymous; without -c: restricted or entitled\n"
        "  --path PATH        of the request; may be left out where the profile has one document. The template will do\n"
        "  --type TYPE        media type of the file, where its name does not say (.json, .ndjson, .jsonl)\n"
        "  --protected VALUE,…  identifiers that are taken for protected, without -c\n"
        "  --query QUERY      of the request, without ?\n"
        "  --rules PACK,…     replay: all packs as gate.json would name them\n"
        "  --json             one object a line; explain: one document\n\n"
        "exit: 0 nothing failed (explain: nothing would be withheld), 1 something did, 2 usage.\n"},
    {"registry",
        "usage: gate1367 registry build SOURCE -o protected.idx --key protected.key [--release-approved REASON]\n"
        "       gate1367 registry apply -c gate.json CHANGES.jsonl [--json]\n"
        "       gate1367 registry inspect protected.idx --key protected.key [--json]\n"
        "       gate1367 registry lookup -c gate.json KIND VALUE [--system SYSTEM] [--json]\n"
        "       gate1367 registry list --suspected -c gate.json [--json]\n"
        "       gate1367 registry clear SUBJECT --by NAME --reason REASON -c gate.json [--json]\n\n"
        "build reads JSON Lines (or CSV, by the name) and writes an index of keyed fingerprints; it makes the key file (0600)\n"
        "where there is none, and refuses to drop a protected subject of an existing index without a reason.\n"
        "apply puts changes in force at once: {\"op\":\"protect\",…a source line…} or {\"op\":\"release\",\"subject\":…,\n"
        "\"reason\":…}; journal first, then every worker, then it returns. Without a running gateway the next start reads the\n"
        "journal. lookup answers protected or not, and is a ledger event.\n"
        "list --suspected shows who is protected because a definitive marker stood in a record of theirs: subject, since when,\n"
        "the request whose answer showed it (its ledger entry names the rules), how many identifiers. clear ends one for good;\n"
        "NAME stands in the ledger, of REASON a keyed hash in the journal. Both need the running gateway; both are on record.\n\n"
        "  -c, --config FILE          the configuration\n"
        "  -o, --output FILE          the index to write\n"
        "  --key FILE                 the registry's key\n"
        "  --release-approved REASON  drops the protected subjects of the old index that the source lacks\n"
        "  --system SYSTEM            who issued a person_id, event_number or case_number\n"
        "  --suspected                those known by a marker alone\n"
        "  --by NAME                  who clears a suspicion\n"
        "  --reason REASON            why\n"
        "  --json                     one object a line\n"},
    {"log",
        "usage: gate1367 log init -c gate.json [--segment 64MiB]\n"
        "       gate1367 log verify|list|follow [options]\n"
        "       gate1367 log show INDEX [options]\n"
        "       gate1367 log export --format FORMAT [-o FILE] [options]\n\n"
        "All take -c gate.json, or --directory DIR --verifier VKEY on a copy. init makes key and empty ledger and prints the\n"
        "verifier key; --segment is the size of the files that entries go into (three are made at once). verify checks every\n"
        "frame, hash and signature: 0 sound, 1 evidence of tampering, 2 cannot tell.\n\n"
        "  -c FILE             the configuration; only its \"ledger\" is read\n"
        "  --directory DIR     a ledger, or a copy of one, instead\n"
        "  --verifier VKEY     whose it must be, as init printed it\n"
        "  --key FILE, --origin NAME   with --directory: what init makes\n"
        "  --segment SIZE      init: of its files, 64MiB\n"
        "  --json              one object a line\n"
        "  --recipient ID, --outcome WORD, --event WORD, --rule ID, --grant ID, --request ID, --since TIME, --until TIME\n"
        "                      what list, follow and export show\n"
        "  --subject WHO       entries about somebody: KIND:VALUE (alien_number:A012345678, person_id:17@earm) or subject:ID, for\n"
        "                      which -c names the keys of registry and ledger; pseudonym:HEX as an entry shows it\n"
        "  --unseal KEY        list, show, follow, export: an auditor's private key opens what is sealed for it\n"
        "  --format FORMAT     export: jsonl, csv, ocsf, ecs, cef, syslog, sqlite\n"
        "  -o, --output FILE   export: a new file instead of standard output; sqlite: made, or continued where it is there\n"
        "  --index FILE        list: by an index that export --format sqlite made; what it lacks is read from the ledger\n"},
    {"report",
        "usage: gate1367 report accounting --subject WHO -c gate.json [options]\n"
        "       gate1367 report quarterly|incidents [options]\n"
        "       gate1367 report reconcile ACCESS-LOG… [options]\n\n"
        "All take -c gate.json, or --directory DIR --verifier VKEY on a copy. accounting lists the disclosures about somebody as\n"
        "5 U.S.C. 552a(c) asks: date, nature, purpose, name and address of the recipient. quarterly adds up by federal fiscal\n"
        "quarter, outcome, recipient and rule. incidents lists what somebody should look at. reconcile holds an origin's own access\n"
        "log (nginx's combined format; - is stdin) against the gateway's signed counters and shows what went round it.\n\n"
        "  -c FILE             the configuration\n"
        "  --directory DIR     a ledger, or a copy of one, instead\n"
        "  --verifier VKEY     whose it must be, as log init printed it\n"
        "  --subject WHO       accounting: KIND:VALUE, subject:ID or pseudonym:HEX, as log list takes it\n"
        "  --quarter FY2027Q1  a federal fiscal quarter (the first begins in October), or\n"
        "  --since TIME, --until TIME   from, up to but without\n"
        "  --unseal KEY        an auditor's private key: names where entries are sealed\n"
        "  --upstream NAME     reconcile: whose log it is, as gate.json calls it; all of them together\n"
        "  --gateway ADDRESS,…  reconcile: from where the gateway asks; what came from elsewhere is listed\n"
        "  --format text|csv|json|html  html is one page that needs nothing else; CSV is safe to open in a spreadsheet\n"
        "  --json              the same as --format json\n"
        "  -o, --output FILE   a new file instead of standard output\n\n"
        "exit: 0 made, 1 the ledger is damaged, or (reconcile) something went round, 2 usage, or something cannot be read. log verify says whether it is whole.\n"},
    {"help", "usage: gate1367 help [COMMAND]\n"},
};

void cli_print_help(const char *command, FILE *to)
{
    for (size_t i = 0; i < ARRAY_LEN(PAGES); i++) {
        if (strcmp(PAGES[i].command, command) == 0) fputs(PAGES[i].text, to);
    }
}
