package cli

import (
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/page"
)

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
			{"HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "proxy for requests to the node"},
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
