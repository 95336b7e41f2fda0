package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/tx"
)

// replaceOptions are what a command takes that replaces a transaction.
type replaceOptions struct {
	intentOptions
	keys keyOptions
	fees feeOptions
	yes  bool
}

func (o *replaceOptions) register(cmd *cobra.Command) {
	o.intentOptions.network.register(cmd)
	o.intentOptions.network.registerContracts(cmd)
	o.store.register(cmd)
	o.mining.register(cmd)
	o.keys.register(cmd)
	o.fees.register(cmd)
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
}

func newTxBump(r *run) *cobra.Command {
	var o replaceOptions
	cmd := &cobra.Command{
		Use:   "bump HASH",
		Short: "Pay more for a transaction that waits",
		Long: `Bump signs the same transaction at a higher price, high enough for nodes to take
it in the place of the one that waits: the caps of --max-gas-price and --max-fee
hold for it too. Only one of the two can be mined.`,
		Example: `  pmctl tx bump 0x…
  pmctl tx bump 0x… --max-fee 0.001eth --yes`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.replace(cmd, &o, args[0], tx.KindBump, tx.PrepareBump)
		},
	}
	o.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

func newTxCancel(r *run) *cobra.Command {
	var o replaceOptions
	cmd := &cobra.Command{
		Use:   "cancel HASH",
		Short: "Have nothing mined in the place of a transaction",
		Long: `Cancel signs a transaction that moves nothing, with the nonce of the one that
waits and at a higher price, so that nodes take it in its place. If the other
one is mined first all the same, cancel says so and ends with exit code 1.`,
		Example: `  pmctl tx cancel 0x… --yes`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.replace(cmd, &o, args[0], tx.KindCancel, tx.PrepareCancel)
		},
	}
	o.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

type prepareReplacement func(context.Context, tx.Backend, *tx.Intent, tx.Caps) (*tx.Prepared, error)

func (r *run) replace(cmd *cobra.Command, o *replaceOptions, arg string, kind tx.Kind, prepare prepareReplacement) error {
	caps, err := o.fees.caps(r.Env)
	if err != nil {
		return err
	}
	return r.onIntent(cmd, &o.intentOptions, arg, func(ctx context.Context, s situation, j *openJournal, i *tx.Intent) error {
		prepared, err := prepare(ctx, s.client, i, caps)
		if err != nil {
			return err
		}
		r.note("network   %s (chain id %d)", s.client.Network().Name, s.client.Network().ChainID)
		r.note("account   %s", i.Account)
		r.note("waiting   %s: %s", i.Newest().Hash(), i.Label)
		r.note("gas       at most %s, in place of at most %s", prepared.MaxFee, weiText(tx.MaxFee(i.Newest())))
		question := "Pay more for it?"
		if kind == tx.KindCancel {
			question = "Cancel it?"
		}
		if err := r.confirm(cmd.Context(), o.yes, question); err != nil {
			return err
		}
		if err := r.signReplacement(cmd.Context(), o, s, j, i, prepared, kind, func(ctx context.Context) (*tx.Prepared, error) { return prepare(ctx, s.client, i, caps) }); err != nil {
			return err
		}
		ctx, cancel, err := o.network.bound(cmd.Context())
		if err != nil {
			return err
		}
		defer cancel()
		return r.awaitReplacement(ctx, o, s, j, i, kind)
	})
}

func (r *run) signReplacement(ctx context.Context, o *replaceOptions, s situation, j *openJournal, i *tx.Intent, agreed *tx.Prepared, kind tx.Kind, again func(context.Context) (*tx.Prepared, error)) error {
	account, err := o.keys.find(ctx, r.Env, i.Account, s.client.Network().ChainID)
	if err != nil {
		return err
	}
	defer account.close()
	signer, err := account.unlock(ctx)
	if err != nil {
		return err
	}
	ctx, cancel, err := o.network.bound(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	// It may be mined by now, or replaced by another command.
	if err := j.Reload(ctx, i); err != nil {
		return err
	}
	now, err := again(ctx)
	if err != nil {
		return err
	}
	if now.MaxFee.Cmp(agreed.MaxFee) > 0 && !mayReplace(agreed, i) {
		return withHint(errPriceRose, "run it again to see the price that it takes now")
	}
	if now.MaxFee.Cmp(agreed.MaxFee) > 0 {
		now = agreed
	}
	return tx.Replace(ctx, s.client, j, signer, i, now, kind)
}

// errPriceRose is returned when another command has replaced the transaction meanwhile.
var errPriceRose = errors.New("another command has replaced the transaction since its price was shown, and a further replacement costs more")

// mayReplace tells whether a price is above that of the newest transaction of an intent.
func mayReplace(p *tx.Prepared, i *tx.Intent) bool {
	return p.FeeCap.Cmp(i.Newest().GasFeeCap()) > 0
}

// awaitReplacement waits until the replacement is mined, or what it replaces.
func (r *run) awaitReplacement(ctx context.Context, o *replaceOptions, s situation, j *openJournal, i *tx.Intent, kind tx.Kind) error {
	err := r.awaitIntent(ctx, waited{situation: s, journal: j, intent: i, mining: o.mining, report: eventsOf(readAny)})
	var cancelled *tx.CancelledError
	switch {
	case kind != tx.KindCancel || o.mining.noWait:
	case errors.As(err, &cancelled):
		result := transactionResult{Hash: cancelled.Hash, Mined: true, Cancelled: true}
		err = r.emitDone(fmt.Sprintf("transaction %s is mined", result.Hash), "pmctl.transaction", result, result.write)
	case err == nil:
		err = errTooLate
	}
	return r.endIntent(ctx, j, i, err)
}

// errTooLate is returned when a transaction was mined before it could be cancelled.
var errTooLate = errors.New("too late to cancel it: the transaction itself was mined")
