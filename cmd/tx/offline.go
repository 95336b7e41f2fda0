package tx

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
)

type sendOptions struct {
	intentOptions
	terms         wallet.Terms
	cancelsUnlock bool
}

func newTxSend(r *cli.Run) *cobra.Command {
	var o sendOptions
	cmd := &cobra.Command{
		Use:   "send [FILE|-]",
		Short: "Send a transaction signed on another machine",
		Long: `Send the transaction that pmctl tx sign wrote, after the checks of pmctl tx sign
(chain, account, contract, call, gas cost). Sending a file twice is harmless: a
transaction is mined once. No key is opened. Funding that would cancel an unlock
in progress requires --cancel-unlock.`,
		Example: `  pmctl tx send signed.json
  pmctl tx send - --no-wait < signed.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return sendTx(r, cmd, &o, cli.FileOrStdin(args))
		},
	}
	cli.RegisterCancelsUnlock(cmd, &o.cancelsUnlock)
	o.register(cmd)
	cli.RegisterWait(r, cmd, &o.wait)
	o.Limits.RegisterFees(cmd)
	cli.RegisterTerms(cmd, &o.terms)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

func sendTx(r *cli.Run, cmd *cobra.Command, o *sendOptions, file string) error {
	in, err := cli.OpenDocument(cmd.Context(), r, file)
	if err != nil {
		return err
	}
	defer in.Close()
	document, signed, err := format.ReadSigned(in)
	if err != nil {
		return cli.WithSource(file, err)
	}
	config, err := cli.LimitedConfig(r, &o.WalletOptions)
	if err != nil {
		return err
	}
	w, err := wallet.Open(cmd.Context(), config)
	if err != nil {
		return err
	}
	defer w.Close() // after everything else
	_, err = w.SendSigned(cmd.Context(), &document.Transaction, signed, o.terms, o.cancelsUnlock, o.wait)
	return err
}
