package cmd

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
)

// sendOptions are the options of pmctl tx send.
type sendOptions struct {
	network       networkOptions
	mining        miningOptions
	fees          feeOptions
	store         storeOptions
	pending       pendingOptions
	cancelsUnlock bool
}

func newTxSend(r *run) *cobra.Command {
	var o sendOptions
	cmd := &cobra.Command{
		Use:   "send [FILE|-]",
		Short: "Send a transaction that another machine has signed",
		Long: `Send reads what pmctl tx sign wrote, checks again all that pmctl tx sign checks
(chain, account, contract, call, and what its gas may cost), and sends it. To
send the same file again is harmless: a transaction is mined once. No key is
opened. A funding that would cancel an unlock which is in progress by now needs
--cancel-unlock.`,
		Example: `  pmctl tx send signed.json
  pmctl tx send - --no-wait < signed.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.sendTx(cmd, &o, fileOrStdin(args))
		},
	}
	registerCancelsUnlock(cmd, &o.cancelsUnlock)
	o.network.register(cmd)
	o.network.registerContracts(cmd)
	o.mining.register(cmd)
	o.fees.register(cmd)
	o.store.register(cmd)
	o.pending.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

func (r *run) sendTx(cmd *cobra.Command, o *sendOptions, file string) error {
	in, err := r.openDocument(cmd.Context(), file)
	if err != nil {
		return err
	}
	defer in.Close()
	document, signed, err := format.ReadSigned(in)
	if err != nil {
		return err
	}
	config, err := r.config(&o.network, &o.store)
	if err != nil {
		return err
	}
	if err := wallet.CheckNetwork(&document.Transaction, config.Network); err != nil {
		return err
	}
	if config.Limits, err = o.fees.limits(r.Env); err != nil {
		return err
	}
	w, err := wallet.Open(cmd.Context(), config)
	if err != nil {
		return err
	}
	defer w.Close() // after everything else
	_, err = w.SendSigned(cmd.Context(), &document.Transaction, signed, o.pending.terms(), o.cancelsUnlock, r.waits(&o.mining))
	return err
}
