package cmd

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/words"
)

// withOtherName adds to the error about an unknown command which one does that here, if the
// word is its name in go-livepeer's wizard, in its HTTP interface, or in other wallets.
func withOtherName(err error, root *cobra.Command) error {
	var unknown *dialect.UnknownCommandError
	if !errors.As(err, &unknown) {
		return err
	}
	word := plainName(unknown.Word)
	switch parent := unknown.Parent; parent.Name() {
	case root.Name():
		for _, topic := range cli.Topics() {
			if plainName(topic.Name) == word {
				return cli.WithHint(err, "it is a topic: run pmctl help %s", topic.Name)
			}
		}
		if paths := otherCommand(word); paths != nil {
			return cli.WithHint(err, "%s", commandFor(root, paths))
		}
	case "config":
		switch word {
		case "set", "unset", "edit", "add", "remove", "init":
			return cli.WithHint(err, "edit the config file: pmctl config show shows its path and every setting")
		case "get", "list", "view", "path":
			return cli.WithHint(err, "the command for that is pmctl config show")
		}
	case "fund":
		if word == "deposit" || word == "reserve" || word != "" && word[0] >= '0' && word[0] <= '9' {
			return cli.WithHint(err, "amounts are flags: see pmctl fund --help")
		}
	case "unlock":
		if word == "deposit" || word == "reserve" {
			return cli.WithHint(err, "pmctl unlock takes no argument: it unlocks the deposit and the reserve together")
		}
	}
	return err
}

// commandFor names commands. Of one that moves money it names only the help.
func commandFor(root *cobra.Command, paths []string) string {
	var names []string
	help := ""
	for _, path := range paths {
		names = append(names, "pmctl "+path)
		if cmd, _, err := root.Find(strings.Fields(path)); err == nil && dialect.MovesMoney(cmd) {
			help = "; see pmctl " + path + " --help"
		}
	}
	if len(paths) > 1 && help != "" {
		help = "; see their --help"
	}
	return "the command for that is " + words.OneOf(names) + help
}

// plainName is a name however it is written: cancel-unlock, cancelUnlock, CANCEL_UNLOCK.
func plainName(word string) string {
	return strings.NewReplacer("-", "", "_", "", "/", "").Replace(strings.ToLower(word))
}

// otherCommand returns the commands for another name, nil if there is none.
func otherCommand(name string) []string {
	switch name {
	case "deposit", "topup", "addfunds", "funds", "funddeposit", "funddepositandreserve", "depositbroadcastingfunds",
		"reserve", "fundreserve", "funddepositandreservefor", "fundfor":
		return []string{"fund"}
	case "cancelunlock", "relock", "lock":
		return []string{"unlock cancel"}
	case "unlockbroadcastingfunds", "unlockfunds":
		return []string{"unlock"}
	case "withdrawbroadcastingfunds", "withdrawfunds", "cashout":
		return []string{"withdraw"}
	case "invoke":
		return []string{"fund", "unlock", "unlock cancel", "withdraw"}
	case "balance", "info", "senderinfo", "nodestatus", "ethbalance", "currentround", "round", "ticketbrokerparams", "protocolparameters":
		return []string{"status"}
	case "orchestrators", "orchestrator", "registeredorchestrators", "transcoders", "recipients":
		return []string{"recipient list"}
	case "mint", "tickets":
		return []string{"ticket batch"}
	case "redeem", "redeemwinningticket":
		return []string{"ticket redeem"}
	case "wallet", "wallets", "accounts", "keys", "key", "keystore", "ethaddr", "address":
		return []string{"account list"}
	case "import", "newaccount", "createaccount":
		return []string{"account new", "account import"}
	case "send", "payment", "payments":
		return []string{"pay"}
	case "setmaxgasprice", "maxgasprice", "gasprice", "setbroadcastconfig", "setmaxpriceperunit", "settings", "configure", "env":
		return []string{"config show"}
	case "transactions", "pending":
		return []string{"tx list"}
	}
	return nil
}
