package pay

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

func payAll(r *cli.Run, cmd *cobra.Command, o *payOptions) error {
	if o.request.ID == "" {
		return cli.WithHint(cli.Usagef("--recipients needs --request-id, so that the file can be run again and nothing is paid twice"),
			"pass an ID of your own for this file, such as --request-id june-2026")
	}
	options, err := o.options(r, cmd)
	if err != nil {
		return err
	}
	if flag := o.Account.Keys.OnStdin(); flag != "" && o.recipients == "-" {
		return cli.Usagef("stdin cannot give both the recipients and what %s reads: pass --recipients FILE, or another descriptor", flag)
	}
	amount, err := o.value.Amount()
	if err != nil {
		return err
	}
	in, err := cli.OpenDocument(cmd.Context(), r, o.recipients)
	if err != nil {
		return err
	}
	defer in.Close()
	orders, err := wallet.ReadOrders(in, amount)
	if err != nil {
		return cli.Usage(fmt.Errorf("--recipients %s: %w", o.recipients, err))
	}
	w, err := cli.OpenWallet(r, cmd, &o.PayerOptions)
	if err != nil {
		return err
	}
	defer w.Close()
	paid, err := w.PayAll(cmd.Context(), orders, options, func(order wallet.Order, payment *pay.Payment, failed error) error {
		return writeOrder(r, order, payment, failed)
	})
	if err != nil {
		return fmt.Errorf("%s of %d; %w", paid, len(orders), err)
	}
	r.Note("%s", paid)
	if paid.Failed > 0 {
		return fmt.Errorf("%d of %s failed; the first, %w", paid.Failed, words.Count(len(orders), "payment"), paid.FirstFailure)
	}
	return nil
}

func writeOrder(r *cli.Run, order wallet.Order, payment *pay.Payment, failed error) error {
	switch {
	case r.Output == cli.OutputJSON && failed != nil:
		return format.WriteError(r.Out, cli.Failure(failed))
	case r.Output == cli.OutputJSON:
		return format.WriteLine(r.Out, "pmctl.payment", newPaymentResult(payment, order.Amount.Value))
	case failed != nil:
		_, err := fmt.Fprintf(r.Out, "line %d  failed    %v\n", order.Line, failed)
		return err
	}
	became := "accepted"
	if payment.AcceptedBefore() {
		became = "before  "
	}
	result := newPaymentResult(payment, order.Amount.Value)
	_, err := fmt.Fprintf(r.Out, "line %d  %s  %s in %s to %s\n", order.Line, became, wei.Format(result.TotalEVExact.Rat), words.Count(result.Tickets, "ticket"), payment.Tickets.Params.Recipient)
	return err
}
