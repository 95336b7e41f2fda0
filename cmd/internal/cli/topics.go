package cli

import (
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/page"
)

// Topics are the pages of pmctl help TOPIC. Where docs have the same table, a test holds
// them to be equal.
func Topics() []dialect.Topic {
	return []dialect.Topic{
		{Name: "environment", Short: "Environment variables", Lists: Environment(),
			Intro: "A flag comes before the environment, and the environment before the config files. pmctl config show prints every setting with its source."},
		{Name: "exit-codes", Short: "Exit codes", Lists: []dialect.TopicList{{Entries: exitFields()}},
			Intro: "The exit code says how a command ended. With --output json a failure is also a document on stderr, whose code names the failure."},
		formatsTopic(),
		{Name: "glossary", Short: "The words of the protocol, of go-livepeer and of pmctl", Lists: Glossary(),
			Intro: "Flags and JSON documents use the words of the protocol: sender and recipient."},
	}
}

// formatsTopic says how values are written on the command line and in documents.
func formatsTopic() dialect.Topic {
	return dialect.Topic{
		Name: "formats", Short: "How amounts, times and documents are written",
		Lists: []dialect.TopicList{
			{Heading: "Values of flags", Entries: []page.Field{
				{"AMOUNT", "a number and its unit, without a space: 0.1eth, 25gwei or 1000wei"},
				{"ADDRESS", "0x and 40 hex digits; with letters in mixed case, the checksum must be right"},
				{"DURATION", "a number and its unit: 500ms, 30s, 5m, 2h, 30d or 2w; also 1h30m. Settings of the config file are written alike"},
				{"TIME", "how long ago (12h, 30d, 2w), a day in UTC (2026-03-01), or a time (2026-03-01T12:00:00Z); for --expires a time, or how long from now"},
				{"FILE", "a path; - is stdin, or stdout for --out of pmctl account export"},
				{"N", "a whole number"},
			}},
			{Heading: "Values of --output", Entries: []page.Field{
				{"table", "for people; it can change with any release"},
				{"json", "one JSON document; its names and types stay the same within a version"},
				{"ndjson", "one JSON document per line"},
				{"csv", "comma-separated values with a header"},
				{"payment", "the value of the Livepeer-Payment header"},
				{"headers", "the headers of a payment, as curl -H @- reads them"},
				{"script", "a completion script for a shell"},
				{"safe", "a transaction for the Transaction Builder of a Safe"},
				{"prometheus", "metrics in the text format of Prometheus"},
			}},
			{Heading: "JSON documents", Entries: []page.Field{
				{"kind, version, data", "the envelope: what the document is, the version of its kind, and its fields"},
				{"amounts", "decimal strings in wei"},
				{"times", "RFC 3339 in UTC"},
				{"durations", "seconds"},
			}},
			{Heading: "Filters of JSON documents", Entries: []page.Field{
				{"--jq EXPR", "a jq expression, without jq: pmctl status --jq .data.deposit. It prints text, numbers and booleans bare, null as an empty line, and objects and lists as JSON, on one line unless stdout is a terminal"},
				{"--template TEXT", "a Go template (package text/template): pmctl status --template '{{amount .data.deposit}}'. Its own functions are amount WEI (as tables show it), join SEPARATOR LIST and json VALUE"},
				{"streams", "the filter is applied to each document"},
				{"errors", "a wrong expression is a usage error, and nothing is done. If the expression fails on the document, the document is printed unchanged, and the exit code is 8 after a payment or a transaction, else 1"},
			}},
		},
		Outro: "Data goes to stdout, everything else to stderr. With --output json stderr is empty or has the document of one error. docs/formats.md describes every document, and docs/schemas has a JSON schema for each.",
	}
}

// Environment lists the variables that pmctl reads, for its help and the man pages.
func Environment() []dialect.TopicList {
	return []dialect.TopicList{
		{Heading: "Account and network", Entries: []page.Field{
			{"ETH_RPC_URL", "URL of the Ethereum JSON-RPC node (--rpc-url)"},
			{"ETH_FROM", "address of the account to use (--from)"},
			{"ETH_KEYSTORE", "path of the keystore folder, or of one key file (--keystore)"},
			{"ETH_PASSWORD", "path of the file with the passphrase (--passphrase-file)"},
			{"CREDENTIALS_DIRECTORY", "set by systemd; a passphrase file in this folder may be readable by its group"},
			{"PMCTL_NETWORK", "name of the network (--network)"},
			{"PMCTL_DEVNET_STATE", "path of the file with which pmctl finds the local network of pmctl-devnet"},
		}},
		{Heading: "pmctl", Entries: []page.Field{
			{"PMCTL_PROFILE", "profile of the config file (--profile)"},
			{"PMCTL_STORE", "location of the store (--store); may contain a password"},
			{"PMCTL_AGENT", "path of the agent's socket, or off to use no agent"},
			{"PMCTL_APP_URL, PMCTL_CONTROL_URL, PMCTL_SESSION_ID", "set by pmctl call for the command of a session"},
			{"PMCTL_SIGNER_TOKEN", "token for a remote signer (--signer); a file is safer (--signer-token-file)"},
			{"PGPASSWORD, PGPASSFILE", "password of a PostgreSQL store, or the file with it"},
			{"PGHOST, PGPORT, PGDATABASE, PGUSER, PGSERVICE", "what the URL of a PostgreSQL store does not say"},
		}},
		{Heading: "Terminal", Entries: []page.Field{
			{"NO_COLOR", "no colours, if it is set"},
			{"TERM", "no colours, if it is dumb"},
			{"COLUMNS", "width of the output, instead of the terminal's"},
			{"PMCTL_PAGER, PAGER", "program that shows long lists on a terminal"},
		}},
		{Heading: "System", Entries: []page.Field{
			{"HOME", "your home folder; the folders below are in it unless set"},
			{"XDG_CONFIG_HOME", "pmctl/config.toml is read here (default ~/.config)"},
			{"XDG_DATA_HOME", "pmctl/keystore is kept here (default ~/.local/share)"},
			{"XDG_STATE_HOME", "pmctl/store.db is kept here (default ~/.local/state)"},
			{"XDG_CACHE_HOME", "pmctl's cache is kept here (default ~/.cache)"},
			{"XDG_RUNTIME_DIR", "pmctl/agent.sock, the agent's socket, is kept here"},
			{"HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "proxy for HTTP requests, except those to orchestrators"},
			{"GOMAXPROCS", "number of processors to use"},
		}},
	}
}

// Files lists the files of pmctl, for the man pages.
func Files() []page.Field {
	return []page.Field{
		{"~/.config/pmctl/config.toml", "settings, limits and budgets; in $XDG_CONFIG_HOME if that is set"},
		{systemConfig(), "the same for all users of the machine: they can make its limits tighter, never looser"},
		{"~/.local/share/pmctl/keystore/", "key files; in $XDG_DATA_HOME if that is set"},
		{"~/.local/state/pmctl/store.db", "the store: nonces, ledger, requests, transactions; in $XDG_STATE_HOME if that is set"},
		{"~/.cache/pmctl/", "what can be read again; in $XDG_CACHE_HOME if that is set"},
	}
}

// Glossary lists the words of the protocol, of go-livepeer and of pmctl. docs/glossary.md
// has the same table.
func Glossary() []dialect.TopicList {
	return []dialect.TopicList{
		{Heading: "Who", Entries: []page.Field{
			{"gateway, broadcaster, sender", "the account that pays: it owns a deposit and a reserve, and signs tickets"},
			{"orchestrator, transcoder, recipient", "the account that is paid: it offers ticket params, checks tickets, and redeems those that win"},
			{"active", "registered in the pool for the current round; only an active orchestrator can redeem tickets"},
			{"pool", "the set of active orchestrators; its size divides your reserve"},
			{"node", "an Ethereum JSON-RPC server, yours or a provider's; pmctl reads the chain and sends transactions through it"},
		}},
		{Heading: "Money", Entries: []page.Field{
			{"deposit", "your ether in the TicketBroker that pays winning tickets"},
			{"reserve", "your ether in the TicketBroker that backs winning tickets when the deposit is empty; each active orchestrator can claim an equal share in a round"},
			{"wei, gwei", "10⁻¹⁸ and 10⁻⁹ ether"},
			{"fee", "what a job costs; tickets worth at least that much are sent for it"},
			{"credit", "what an orchestrator has booked for you beyond the fees so far; the next payment of the session uses it"},
			{"budget", "what an account may spend in a UTC day, set in a config file"},
			{"max float", "the highest face value that an orchestrator offers to a sender, given its deposit and reserve"},
			{"runway", "how long the deposit lasts at the present rate of spending"},
		}},
		{Heading: "Tickets", Entries: []page.Field{
			{"ticket", "a signed lottery ticket: it wins with a fixed probability, and pays its face value when it does"},
			{"face value", "what a winning ticket pays"},
			{"win probability", "how likely a ticket is to win; written as a fraction of 2²⁵⁶−1"},
			{"expected value, EV", "face value × win probability: what a ticket is worth on average, and what counts as paid"},
			{"ticket params", "an orchestrator's offer: face value, win probability, an expiration block and a commitment to its secret number"},
			{"batch", "several tickets of one set of ticket params, with consecutive nonces"},
			{"nonce", "the number of a ticket within its ticket params (1, 2, …); each can be used once. A transaction has a nonce of its own: its number within the account"},
			{"session", "the payments that use one set of ticket params, and the fresh params that follow them"},
			{"redeem", "send a winning ticket to the contract, which pays it; orchestrators do this"},
			{"request ID", "your own name for a payment, batch or transaction (--request-id): with the same ID it is made once"},
		}},
		{Heading: "Chain", Entries: []page.Field{
			{"TicketBroker", "the contract that keeps deposits and reserves and pays winning tickets"},
			{"controller", "the contract that registers the addresses of the others"},
			{"round", "the protocol's unit of time, about a day on Arbitrum One; tickets belong to a round, and an unlock takes 7"},
			{"L1 block", "a block of Ethereum; params expire, and rounds begin, at L1 block numbers"},
			{"locked, unlocking", "deposit and reserve are locked until you unlock them; after the unlock period they can be withdrawn"},
			{"journal", "pmctl's record of every transaction, written before it is sent"},
			{"store", "where pmctl records nonces, spending, request IDs and the journal: a file, or a PostgreSQL database"},
			{"ledger", "the part of the store that lists which tickets were signed"},
			{"pin", "an address remembered at first use: the orchestrator behind a URL, and a network's contracts"},
			{"retired", "of a session: no more tickets are signed in it, because its nonces may be in use elsewhere"},
		}},
	}
}
