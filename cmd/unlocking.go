package cmd

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
)

// registerCancelsUnlock is for commands that may fund the account itself, by which the
// contract cancels an unlock.
func registerCancelsUnlock(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "cancel-unlock", false, "fund although that cancels the unlock that is in progress")
}

// unlockingError is a funding that would cancel an unlock without being told to.
type unlockingError struct{ withdrawRound *big.Int }

func (e *unlockingError) Error() string {
	return fmt.Sprintf("an unlock is in progress (withdraw from round %v), and to fund your own deposit or reserve cancels it", e.withdrawRound)
}

// Hint says how to go on either way.
func (e *unlockingError) Hint() string {
	return "to lock everything again and fund, pass --cancel-unlock; pmctl status shows the unlock"
}

// checkUnlock fails with *unlockingError for a call that would cancel the unlock of the
// account that makes it.
func checkUnlock(account common.Address, data []byte, status *chain.Status) error {
	if !status.Sender.Unlocking() || !fundsItself(account, data) {
		return nil
	}
	return &unlockingError{status.Sender.WithdrawRound}
}

// fundsItself tells whether a call of the TicketBroker funds the account that makes it.
func fundsItself(account common.Address, data []byte) bool {
	call, err := contract.Describe(data)
	if err != nil {
		return false
	}
	switch call.Method {
	case "fundDeposit", "fundReserve", "fundDepositAndReserve":
		return true
	case "fundDepositAndReserveFor":
		return common.HexToAddress(call.Args[0].Value) == account
	}
	return false
}
