package cmd

import (
	"strings"

	"github.com/spf13/cobra"
)

// otherName is what to run in place of a command that there is not, by the name that it
// has in a node's wizard, in its HTTP interface, or in other wallets; "" when nothing is
// known. cmd is as far as the words made sense.
func otherName(cmd *cobra.Command, args []string) string {
	var words []string
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			words = append(words, plainName(arg))
		}
	}
	if !cmd.HasParent() {
		for _, word := range words {
			if instead := otherCommand(word); instead != "" {
				return instead
			}
		}
		return ""
	}
	for i := 1; i < len(words); i++ {
		if instead := otherArgument(words[i-1], words[i]); instead != "" {
			return instead
		}
	}
	return ""
}

// plainName is a name however it is written: cancel-unlock, cancelUnlock, CANCEL_UNLOCK.
func plainName(word string) string {
	return strings.NewReplacer("-", "", "_", "", "/", "").Replace(strings.ToLower(word))
}

// otherCommand is what other names of commands mean.
func otherCommand(name string) string {
	switch name {
	case "deposit", "topup", "addfunds", "funds", "funddeposit", "funddepositandreserve", "depositbroadcastingfunds":
		return "pmctl fund --deposit AMOUNT --reserve AMOUNT"
	case "reserve", "fundreserve":
		return "pmctl fund --reserve AMOUNT"
	case "funddepositandreservefor", "fundfor":
		return "pmctl fund --for ADDRESS --deposit AMOUNT --reserve AMOUNT"
	case "cancelunlock", "relock", "lock":
		return "pmctl unlock cancel"
	case "unlockbroadcastingfunds", "unlockfunds":
		return "pmctl unlock"
	case "withdrawbroadcastingfunds", "withdrawfunds", "cashout":
		return "pmctl withdraw"
	case "invoke":
		return "pmctl fund, pmctl unlock, pmctl unlock cancel or pmctl withdraw"
	case "balance", "info", "senderinfo", "nodestatus", "ethbalance", "currentround", "round", "ticketbrokerparams", "protocolparameters":
		return "pmctl status"
	case "orchestrators", "orchestrator", "registeredorchestrators", "transcoders", "recipients":
		return "pmctl recipient list"
	case "mint", "tickets":
		return "pmctl ticket batch"
	case "redeem", "redeemwinningticket":
		return "pmctl ticket redeem"
	case "wallet", "wallets", "accounts", "keys", "key", "keystore", "ethaddr", "address":
		return "pmctl account list"
	case "import", "newaccount", "createaccount":
		return "pmctl account new or pmctl account import"
	case "send", "payment", "payments":
		return "pmctl pay RECIPIENT --value AMOUNT"
	case "setmaxgasprice", "maxgasprice", "gasprice":
		return "--max-gas-price AMOUNT with the command that sends, or max_gas_price in the config file"
	case "setbroadcastconfig", "setmaxpriceperunit", "settings", "configure", "env":
		return "pmctl config show"
	case "transactions", "pending":
		return "pmctl tx list"
	}
	return ""
}

// otherArgument is what a word behind a command means that takes none.
func otherArgument(command, word string) string {
	switch command {
	case "fund":
		switch word {
		case "deposit":
			return "pmctl fund --deposit AMOUNT"
		case "reserve":
			return "pmctl fund --reserve AMOUNT"
		}
		return "pmctl fund --deposit AMOUNT --reserve AMOUNT"
	case "unlock":
		return "pmctl unlock, which unlocks deposit and reserve together"
	case "withdraw":
		return "pmctl withdraw, which pays out deposit and reserve together"
	}
	return ""
}
