// Package tx has the commands about transactions that were sent, or are to be signed elsewhere.
package tx

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
)

// NewTx is pmctl tx.
func NewTx(r *cli.Run) *cobra.Command {
	return cli.Group("tx", "List, wait for, replace, sign and send transactions",
		newTxList(r),
		newTxShow(r),
		newTxWait(r),
		newTxBump(r),
		newTxCancel(r),
		newTxSign(r),
		newTxSend(r),
	)
}

type intentResult struct {
	// Hash is the newest transaction's, or that of the one which settled the intent.
	Hash      common.Hash    `json:"transaction_hash"`
	Account   format.Address `json:"from"`
	Nonce     uint64         `json:"nonce"`
	What      string         `json:"description"`
	Label     string         `json:"label"`
	RequestID string         `json:"request_id,omitempty"`
	// State is open, refused, mined, reverted, cancelled or lost.
	State string `json:"state"`
	// Refusal is what the node said to the newest transaction.
	Refusal   string          `json:"refusal,omitempty"`
	CreatedAt time.Time       `json:"created_at"`
	Attempts  []attemptResult `json:"attempts"`
}

type attemptResult struct {
	Hash common.Hash `json:"transaction_hash"`
	// Kind is call, bump or cancel.
	Kind     string    `json:"kind"`
	SignedAt time.Time `json:"signed_at"`
}

func newIntentResult(i *wallet.Intent) intentResult {
	result := intentResult{
		Hash:      i.Hash(),
		Account:   format.Address(i.Account),
		Nonce:     i.Nonce,
		What:      i.Label.String(),
		Label:     string(i.Label),
		RequestID: i.RequestID,
		State:     string(i.State),
		Refusal:   i.Refusal,
		CreatedAt: i.CreatedAt,
	}
	for _, a := range i.Attempts {
		result.Attempts = append(result.Attempts, attemptResult{a.Tx.Hash(), string(a.Kind), a.At})
	}
	return result
}

// what is the description for a person: the newest of the transactions that can be mined may be the
// one that cancels the call.
func (i intentResult) what() string {
	if newest := i.Attempts[len(i.Attempts)-1]; i.State == "open" && newest.Kind == "cancel" {
		return i.What + ", being cancelled"
	}
	return i.What
}

func (i intentResult) write(w *page.Page) {
	fields := []page.Field{
		{"transaction", i.Hash.Hex()},
		{"what", i.what()},
		{"state", stateText(w, i.State)},
		{"nonce", fmt.Sprint(i.Nonce)},
		{"signed at", i.CreatedAt.Format(time.RFC3339)},
		{"refused with", i.Refusal},
		{"request id", i.RequestID},
	}
	for _, a := range i.Attempts[1:] {
		fields = append(fields, page.Field{a.Kind, a.Hash.Hex() + " at " + a.SignedAt.Format(time.RFC3339)})
	}
	w.Fields(fields)
}

func newTxList(r *cli.Run) *cobra.Command {
	var o cli.WalletOptions
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the account's transactions",
		Long: `List the transactions in the journal of the store that are signed for your
account and can still be mined, including those that a node refused. With --all,
list the others too. No node is asked, and no key is opened.`,
		Example: `  pmctl tx list
  pmctl tx list --all --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listIntents(r, cmd, &o, all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also list transactions that are settled")
	o.RegisterJournal(cmd)
	return cmd
}

func listIntents(r *cli.Run, cmd *cobra.Command, o *cli.WalletOptions, all bool) error {
	address, err := o.Account.Address(cmd.Context(), r.Env)
	if err != nil {
		return err
	}
	w, err := cli.JournalOf(cmd.Context(), r, o)
	if err != nil {
		return err
	}
	defer w.Close()
	intents, err := w.Transactions(cmd.Context(), address)
	if err != nil {
		return err
	}
	list := intentList{}
	for _, i := range intents {
		if all || i.State.Unsettled() {
			list = append(list, newIntentResult(i))
		}
	}
	switch {
	case len(list) > 0:
	case all:
		r.Note("no transactions of %s", address)
	default:
		r.Note("no pending transactions of %s", address)
	}
	return cli.EmitList(r, "pmctl.transactions", map[string]any{"transactions": list}, list.write)
}

type intentList []intentResult

func (l intentList) write(w *page.Page) {
	if len(l) == 0 {
		return
	}
	header := []page.Column{page.Text("transaction"), page.Text("state"), page.Number("nonce"), page.Text("signed"), page.Prose("what")}
	rows := make([][]string, len(l))
	for i, intent := range l {
		rows[i] = []string{intent.Hash.Hex(), stateText(w, intent.State), fmt.Sprint(intent.Nonce), intent.CreatedAt.Format(time.RFC3339), intent.what()}
	}
	w.Table(header, rows)
}

// stateText is what became of a transaction, in its colour.
func stateText(w *page.Page, state string) string {
	switch state {
	case "mined":
		return w.Green(state)
	case "open":
		return w.Yellow(state)
	case "cancelled":
		return w.Dim(state)
	}
	return w.Red(state)
}

// intentOptions are what every command takes that is about one transaction.
type intentOptions struct {
	cli.WalletOptions
	wait wallet.WaitOptions
}

func (o *intentOptions) register(cmd *cobra.Command) {
	o.Network.Register(cmd)
	o.Network.RegisterContracts(cmd)
	o.Store.Register(cmd)
}

// open opens the wallet, as configured, for the transaction that an argument names.
func (o *intentOptions) open(ctx context.Context, r *cli.Run, arg string, configured func(*cli.Run, *cli.WalletOptions) (wallet.Config, error)) (*wallet.Wallet, common.Hash, error) {
	if o.wait.Confirmations == 0 {
		return nil, common.Hash{}, cli.Usagef("--confirmations 0: it must be at least 1")
	}
	hash, err := parseHash(arg)
	if err != nil {
		return nil, hash, err
	}
	config, err := configured(r, &o.WalletOptions)
	if err != nil {
		return nil, hash, err
	}
	w, err := wallet.Open(ctx, config)
	return w, hash, err
}

func parseHash(text string) (common.Hash, error) {
	raw, err := hexutil.Decode(text)
	if err != nil || len(raw) != common.HashLength {
		return common.Hash{}, cli.Usagef("%.80q is not a transaction's hash: 0x and 64 hex digits", text)
	}
	return common.BytesToHash(raw), nil
}

func newTxShow(r *cli.Run) *cobra.Command {
	var o cli.WalletOptions
	cmd := &cobra.Command{
		Use:   "show HASH",
		Short: "Show a transaction from the journal",
		Long: `Show the journal entry of a transaction, and of those that replace it. No node
is asked; pmctl tx wait asks the node.`,
		Example: `  pmctl tx show 0x… --output json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			hash, err := parseHash(args[0])
			if err != nil {
				return err
			}
			w, err := cli.JournalOf(cmd.Context(), r, &o)
			if err != nil {
				return err
			}
			defer w.Close()
			intent, err := w.Transaction(cmd.Context(), hash)
			if err != nil {
				return err
			}
			result := newIntentResult(intent)
			return r.Emit("pmctl.journal_entry", result, result.write)
		},
	}
	o.Network.RegisterNetwork(cmd)
	o.Store.Register(cmd)
	return cmd
}

func newTxWait(r *cli.Run) *cobra.Command {
	var o intentOptions
	var withPending bool
	cmd := &cobra.Command{
		Use:   "wait HASH",
		Short: "Wait until a transaction is mined",
		Long: `Wait until the transaction, or one that replaces it, is mined, and show the
events of the contract. If the node loses the transaction, it is sent again;
with --with-pending also the earlier ones of the account. No key is opened.`,
		Example: `  pmctl tx wait 0x…
  pmctl tx wait 0x… --confirmations 12 --timeout 10m`,
		RunE: func(cmd *cobra.Command, args []string) error {
			w, hash, err := o.open(cmd.Context(), r, args[0], cli.WalletConfig)
			if err != nil {
				return err
			}
			defer w.Close()
			_, err = w.Wait(cmd.Context(), hash, withPending, o.wait)
			return err
		},
	}
	cmd.Flags().BoolVar(&withPending, "with-pending", false, "also resend earlier transactions that the node has lost: they must be mined first")
	cli.RegisterConfirmations(r, cmd, &o.wait)
	o.register(cmd)
	return cmd
}
