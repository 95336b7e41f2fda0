package cmd

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/wei"
)

// statusResult is what pmctl status answers.
type statusResult struct {
	Network string         `json:"network"`
	ChainID string         `json:"chain_id"`
	Account format.Address `json:"account"`
	Balance wei.Wei        `json:"balance"`
	Deposit wei.Wei        `json:"deposit"`
	Reserve wei.Wei        `json:"reserve"`
	// ReservePerRecipient is what one recipient can claim of the reserve in a round.
	ReservePerRecipient wei.Wei `json:"reserve_per_recipient"`
	// Lock is empty, locked, unlocking or unlocked.
	Lock string `json:"lock"`
	// WithdrawRound is set while an unlock is in progress or done.
	WithdrawRound string          `json:"withdraw_round,omitempty"`
	RoundsLeft    string          `json:"rounds_left,omitempty"`
	Round         roundResult     `json:"round"`
	Block         blockResult     `json:"block"`
	Paused        bool            `json:"paused"`
	Contracts     contractsResult `json:"contracts"`
}

type contractsResult struct {
	Controller      format.Address `json:"controller"`
	TicketBroker    format.Address `json:"ticket_broker"`
	RoundsManager   format.Address `json:"rounds_manager"`
	BondingManager  format.Address `json:"bonding_manager"`
	ServiceRegistry format.Address `json:"service_registry"`
}

type roundResult struct {
	Current         string `json:"current"`
	LastInitialized string `json:"last_initialized"`
	Initialized     bool   `json:"initialized"`
	UnlockPeriod    string `json:"unlock_period"`
}

type blockResult struct {
	Number  string    `json:"number"`
	L1Block string    `json:"l1_block"`
	Time    time.Time `json:"time"`
}

// Lock states of a sender's funds.
const (
	lockEmpty     = "empty"
	lockLocked    = "locked"
	lockUnlocking = "unlocking"
	lockUnlocked  = "unlocked"
)

func newStatus(r *run) *cobra.Command {
	var network networkOptions
	var account accountOptions
	cmd := &cobra.Command{
		Use:   "status [ADDRESS]",
		Short: "Show an account's balance, deposit, reserve and lock",
		Long: `Status shows what an account holds, what it has deposited with the TicketBroker
contract, and whether that is locked. Without ADDRESS it is your own account;
no key is opened.`,
		Example: `  pmctl status
  pmctl status 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --output json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			address, err := statusAddress(cmd.Context(), r.Env, &account, args)
			if err != nil {
				return err
			}
			ctx, cancel, err := network.bound(cmd.Context())
			if err != nil {
				return err
			}
			defer cancel()
			client, err := network.dial(ctx, r.Env)
			if err != nil {
				return err
			}
			defer client.Close()
			status, err := client.Status(ctx, address)
			if err != nil {
				return err
			}
			result := newStatusResult(client.Network(), address, status)
			return r.emit("pmctl.status", result, func(w io.Writer) error { return writeFields(w, result.fields()) })
		},
	}
	network.register(cmd)
	cmd.Flags().StringVar(&account.from, "from", "", "`ADDRESS` to show (default $ETH_FROM, else the only account there is)")
	account.keys.keystore.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

// statusAddress is the address on the command line, or the user's account.
func statusAddress(ctx context.Context, env *Env, account *accountOptions, args []string) (common.Address, error) {
	if len(args) == 1 {
		return parseAddress("ADDRESS", args[0])
	}
	return account.address(ctx, env)
}

func newStatusResult(network chain.Network, address common.Address, s *chain.Status) statusResult {
	result := statusResult{
		Network:             network.Name,
		ChainID:             fmt.Sprint(network.ChainID),
		Account:             format.Address(address),
		Balance:             s.Sender.Balance,
		Deposit:             s.Sender.Deposit,
		Reserve:             s.Sender.Reserve,
		ReservePerRecipient: s.ReservePerRecipient,
		Round: roundResult{
			Current:         s.Round.Current.String(),
			LastInitialized: s.Round.LastInitialized.String(),
			Initialized:     s.Round.Initialized,
			UnlockPeriod:    s.UnlockPeriod.String(),
		},
		Block: blockResult{
			Number:  fmt.Sprint(s.Head.Number),
			L1Block: fmt.Sprint(s.Head.L1Block),
			Time:    s.Head.Time,
		},
		Paused: s.Paused,
		Contracts: contractsResult{
			Controller:      format.Address(s.Contracts.Controller),
			TicketBroker:    format.Address(s.Contracts.TicketBroker),
			RoundsManager:   format.Address(s.Contracts.RoundsManager),
			BondingManager:  format.Address(s.Contracts.BondingManager),
			ServiceRegistry: format.Address(s.Contracts.ServiceRegistry),
		},
	}
	result.Lock = lockState(s)
	if result.Lock == lockUnlocking || result.Lock == lockUnlocked {
		result.WithdrawRound = s.Sender.WithdrawRound.String()
		result.RoundsLeft = roundsLeft(s).String()
	}
	return result
}

// lockState says whether a sender's funds are locked. The withdraw round of a sender
// whose funds are gone is a leftover of its last withdrawal.
func lockState(s *chain.Status) string {
	switch {
	case !s.Sender.Funded():
		return lockEmpty
	case s.Sender.WithdrawRound.Sign() == 0:
		return lockLocked
	case roundsLeft(s).Sign() > 0:
		return lockUnlocking
	default:
		return lockUnlocked
	}
}

// roundsLeft is how many rounds have to pass before a withdrawal.
func roundsLeft(s *chain.Status) *big.Int {
	left := new(big.Int).Sub(s.Sender.WithdrawRound, s.Round.Current)
	if left.Sign() < 0 {
		left.SetInt64(0)
	}
	return left
}

func (s statusResult) fields() []field {
	hex := func(a format.Address) string { return common.Address(a).Hex() }
	round := s.Round.Current
	if !s.Round.Initialized {
		round += " (not initialized; last initialized " + s.Round.LastInitialized + ")"
	}
	lock := map[string]string{
		lockEmpty:     "nothing is deposited",
		lockLocked:    "locked; pmctl unlock starts the way out",
		lockUnlocking: fmt.Sprintf("unlocking; withdraw from round %s (%s left)", s.WithdrawRound, plural(s.RoundsLeft, "round")),
		lockUnlocked:  "unlocked; pmctl withdraw pays out",
	}[s.Lock]
	fields := []field{
		{"network", fmt.Sprintf("%s (chain id %s)", s.Network, s.ChainID)},
		{"account", hex(s.Account)},
		{"balance", s.Balance.String()},
		{"deposit", s.Deposit.String()},
		{"reserve", fmt.Sprintf("%s (%s a recipient)", s.Reserve, s.ReservePerRecipient)},
		{"lock", lock},
		{"round", round},
		{"block", blockText(s.Block)},
	}
	if s.Paused {
		fields = append(fields, field{"paused", "the contracts are paused: nothing can be sent"})
	}
	return append(fields,
		field{"controller", hex(s.Contracts.Controller)},
		field{"ticket broker", hex(s.Contracts.TicketBroker)},
		field{"rounds manager", hex(s.Contracts.RoundsManager)},
		field{"bonding manager", hex(s.Contracts.BondingManager)},
		field{"service registry", hex(s.Contracts.ServiceRegistry)},
	)
}

func blockText(b blockResult) string {
	text := b.Number
	if b.L1Block != b.Number {
		text += " (L1 block " + b.L1Block + ")"
	}
	return text + " at " + b.Time.Format(time.RFC3339)
}

// plural writes a count with its noun.
func plural(count, noun string) string {
	if count == "1" {
		return count + " " + noun
	}
	return count + " " + noun + "s"
}
