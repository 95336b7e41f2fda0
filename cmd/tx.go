package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/tx"
)

func newTx(r *run) *cobra.Command {
	return group("tx", "Look at transactions, wait for them, replace them",
		newTxList(r),
		newTxShow(r),
		newTxWait(r),
		newTxBump(r),
		newTxCancel(r),
		newTxSign(r),
		newTxSend(r),
	)
}

// intentResult is a transaction of the journal.
type intentResult struct {
	// Hash is the newest transaction's, or that of the one which settled the intent.
	Hash      common.Hash    `json:"hash"`
	Account   format.Address `json:"account"`
	Nonce     string         `json:"nonce"`
	What      string         `json:"what"`
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
	Hash common.Hash `json:"hash"`
	// Kind is call, bump or cancel.
	Kind     string    `json:"kind"`
	SignedAt time.Time `json:"signed_at"`
}

func newIntentResult(i *tx.Intent) intentResult {
	result := intentResult{
		Hash:      i.Newest().Hash(),
		Account:   format.Address(i.Account),
		Nonce:     fmt.Sprint(i.Nonce),
		What:      i.Label.String(),
		Label:     string(i.Label),
		RequestID: i.RequestID,
		State:     string(i.State),
		Refusal:   i.Refusal,
		CreatedAt: i.CreatedAt,
	}
	if i.SettledBy != (common.Hash{}) {
		result.Hash = i.SettledBy
	}
	for _, a := range i.Attempts {
		result.Attempts = append(result.Attempts, attemptResult{a.Tx.Hash(), string(a.Kind), a.At})
	}
	return result
}

func (i intentResult) fields() []field {
	fields := []field{
		{"transaction", i.Hash.Hex()},
		{"what", i.What},
		{"state", i.State},
		{"nonce", i.Nonce},
		{"signed at", i.CreatedAt.Format(time.RFC3339)},
	}
	if i.Refusal != "" {
		fields = append(fields, field{"refused with", i.Refusal})
	}
	if i.RequestID != "" {
		fields = append(fields, field{"request id", i.RequestID})
	}
	for _, a := range i.Attempts[1:] {
		fields = append(fields, field{a.Kind, a.Hash.Hex() + " at " + a.SignedAt.Format(time.RFC3339)})
	}
	return fields
}

func newTxList(r *run) *cobra.Command {
	var network networkOptions
	var account accountOptions
	var place storeOptions
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the account's transactions",
		Long: `List shows the transactions that this store's runs have signed for your account
and that may still be mined, those included that a node refused; with --all the
others too. It is read from the
journal: no node is asked, and no key is opened.`,
		Example: `  pmctl tx list
  pmctl tx list --all --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.listIntents(cmd, &network, &account, &place, all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "show the transactions that are settled, too")
	cmd.Flags().StringVar(&account.from, "from", "", "`ADDRESS` of the account (default $ETH_FROM, else the only one there is)")
	account.keys.registerAddress(cmd)
	network.registerNetwork(cmd)
	place.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

func (r *run) listIntents(cmd *cobra.Command, o *networkOptions, account *accountOptions, place *storeOptions, all bool) error {
	network, err := o.chooseNetwork(r.Env)
	if err != nil {
		return err
	}
	address, err := account.address(cmd.Context(), r.Env)
	if err != nil {
		return err
	}
	journal, err := r.openJournal(cmd.Context(), place, network)
	if err != nil {
		return err
	}
	defer journal.close()
	intents, err := journal.Intents(cmd.Context(), address)
	if err != nil {
		return err
	}
	list := []intentResult{}
	for _, i := range intents {
		if all || i.State.Unsettled() {
			list = append(list, newIntentResult(i))
		}
	}
	if len(list) == 0 {
		r.note("no transaction of %s waits to be mined", address)
	}
	return r.emit("pmctl.transactions", map[string]any{"transactions": list}, func(w io.Writer) error {
		for n, i := range list {
			if n > 0 {
				if _, err := fmt.Fprintln(w); err != nil {
					return err
				}
			}
			if err := writeFields(w, i.fields()); err != nil {
				return err
			}
		}
		return nil
	})
}

// intentOptions are what every command takes that is about one transaction.
type intentOptions struct {
	network     networkOptions
	mining      miningOptions
	store       storeOptions
	withPending bool
}

func (o *intentOptions) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.withPending, "with-pending", false, "send earlier transactions of the account again, too, where the node has lost them: they must be mined first")
	o.network.register(cmd)
	o.network.registerContracts(cmd)
	o.mining.registerConfirmations(cmd)
	o.store.register(cmd)
}

// onIntent does something with the transaction that an argument names.
func (r *run) onIntent(cmd *cobra.Command, o *intentOptions, arg string, do func(ctx context.Context, s situation, j *openJournal, i *tx.Intent) error) error {
	if o.mining.confirmations == 0 {
		return usagef("--confirmations 0: it must be at least 1")
	}
	ctx, cancel, err := o.network.bound(cmd.Context())
	if err != nil {
		return err
	}
	defer cancel()
	journal, intent, err := r.findIntent(ctx, &o.network, &o.store, arg)
	if err != nil {
		return err
	}
	defer journal.close()
	client, err := r.dialPinned(ctx, &o.network, journal.store)
	if err != nil {
		return err
	}
	defer client.Close()
	status, err := client.Status(ctx, intent.Account)
	if err != nil {
		return err
	}
	err = journal.Adopt(ctx, intent)
	if errors.Is(err, tx.ErrChanged) { // another run has found out more meanwhile
		if err = journal.Reload(ctx, intent); err == nil {
			err = journal.Adopt(ctx, intent)
		}
	}
	if err != nil {
		return err
	}
	return do(ctx, situation{client, status, intent.Account}, journal, intent)
}

// findIntent opens the journal and finds the transaction that an argument names.
func (r *run) findIntent(ctx context.Context, o *networkOptions, place *storeOptions, arg string) (*openJournal, *tx.Intent, error) {
	hash, err := parseHash(arg)
	if err != nil {
		return nil, nil, err
	}
	network, err := o.chooseNetwork(r.Env)
	if err != nil {
		return nil, nil, err
	}
	journal, err := r.openJournal(ctx, place, network)
	if err != nil {
		return nil, nil, err
	}
	intent, err := journal.Find(ctx, hash)
	if err != nil {
		journal.close()
		return nil, nil, withHint(err, "pmctl tx list --all shows the transactions of this store on %s", network.Name)
	}
	return journal, intent, nil
}

func parseHash(text string) (common.Hash, error) {
	raw, err := hexutil.Decode(text)
	if err != nil || len(raw) != common.HashLength {
		return common.Hash{}, usagef("%.80q is not a transaction's hash: 0x and 64 hex digits", text)
	}
	return common.BytesToHash(raw), nil
}

func newTxShow(r *run) *cobra.Command {
	var network networkOptions
	var place storeOptions
	cmd := &cobra.Command{
		Use:   "show HASH",
		Short: "Show a transaction as the journal has it",
		Long: `Show tells what the journal knows of a transaction, and of those that were
signed to replace it. No node is asked; pmctl tx wait asks.`,
		Example: `  pmctl tx show 0x… --output json`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			journal, intent, err := r.findIntent(cmd.Context(), &network, &place, args[0])
			if err != nil {
				return err
			}
			defer journal.close()
			result := newIntentResult(intent)
			return r.emit("pmctl.journal_entry", result, func(w io.Writer) error { return writeFields(w, result.fields()) })
		},
	}
	network.registerNetwork(cmd)
	place.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

func newTxWait(r *run) *cobra.Command {
	var o intentOptions
	cmd := &cobra.Command{
		Use:   "wait HASH",
		Short: "Wait until a transaction is mined",
		Long: `Wait returns when the transaction, or one that replaces it, is mined, and says
what the contract says happened. Meanwhile it sends the transaction again where
the node has lost it; earlier ones of the account only with --with-pending. No
key is opened.`,
		Example: `  pmctl tx wait 0x…
  pmctl tx wait 0x… --confirmations 12 --timeout 10m`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.onIntent(cmd, &o, args[0], func(ctx context.Context, s situation, j *openJournal, i *tx.Intent) error {
				err := r.awaitIntent(ctx, waited{situation: s, journal: j, intent: i, mining: o.mining, withPending: o.withPending, report: eventsOf(readAny)})
				return r.endIntent(ctx, j, i, err)
			})
		},
	}
	o.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

// readAny reads what any of our transactions does.
func readAny(log *types.Log) (event, bool) {
	for _, read := range []func(*types.Log) (event, bool){readFunding, readUnlock, readCancel, readWithdrawal, readRedemption} {
		if e, ok := read(log); ok {
			return e, true
		}
	}
	return event{}, false
}

func readRedemption(log *types.Log) (event, bool) {
	e, err := contract.NewTicketBroker().UnpackWinningTicketRedeemedEvent(log)
	if err != nil {
		return event{}, false
	}
	return event{
		Name: "WinningTicketRedeemed",
		Fields: map[string]string{
			"sender": e.Sender.Hex(), "recipient": e.Recipient.Hex(), "face_value": e.FaceValue.String(), "sender_nonce": e.SenderNonce.String(),
		},
		text: fmt.Sprintf("redeemed the ticket of %s with nonce %v", e.Sender, e.SenderNonce),
	}, true
}
