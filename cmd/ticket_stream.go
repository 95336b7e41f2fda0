package cmd

import (
	"errors"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// streamBatches makes a batch of each line of params, and writes one line for each.
func (r *run) streamBatches(cmd *cobra.Command, o *batchOptions, amount pay.Amount) error {
	switch {
	case o.url != "":
		return usagef("--stream reads ticket params: it does not go together with --recipient-url")
	case r.outputByDefault:
		r.output = format.NDJSON
	case r.output != format.NDJSON && r.output != format.Payment:
		return usagef("--stream writes one line for each batch: --output must be ndjson or payment, not %s", r.output)
	}
	if _, err := o.request.request(cmd); err != nil {
		return err
	}
	out, err := r.openOutput(o.out)
	if err != nil {
		return err
	}
	defer out.close()
	w, err := r.openWallet(cmd, &o.payerOptions)
	if err != nil {
		return err
	}
	defer w.Close()
	in, err := r.openDocument(cmd.Context(), o.params)
	if err != nil {
		return err
	}
	defer in.Close()
	prepareFor(several) // at least: the lines have not been counted
	s := wallet.Streaming{
		In: in, Out: out, Format: r.output, Amount: amount, Adopt: o.adopt, Credentials: r.credentials(),
		Failed: func(err error) error { return r.writeFailedLine(out, err) },
	}
	if o.params == "-" {
		s.In = r.In // whose reads end when it is closed
	}
	if r.output == format.NDJSON {
		s.Format = format.JSONLine
	}
	if o.request.id != "" {
		s.Request = func(line int, document *format.Params) (*store.Request, error) {
			of := requestOption{id: fmt.Sprintf("%s:%d", o.request.id, line)}
			source := "recipient " + common.Address(document.Offer.Recipient).Hex()
			return of.request(cmd, "stream", source, fmt.Sprint(amount.Count), amount.Value.Decimal())
		}
	}
	made, err := w.Stream(cmd.Context(), s)
	if err == nil {
		err = out.commit()
	}
	return r.streamed(made, err, o)
}

// streamed says what was made, and what was not.
func (r *run) streamed(made wallet.Streamed, err error, o *batchOptions) error {
	if err != nil && made == (wallet.Streamed{}) {
		return err // nothing was begun
	}
	if err != nil && o.request.id == "" && made.Unwritten > 0 {
		return fmt.Errorf("%s, and used up the nonces of %s more: %w", made, wallet.Batches(made.Unwritten), err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", made, err)
	}
	r.note("%s", made)
	if made.Failed > 0 {
		err := fmt.Errorf("%d of %d lines made no batch; the first, %w", made.Failed, made.Lines, made.FirstFailure)
		if errors.Is(err, format.ErrTruncated) {
			err = withHint(err, "each line must be a whole document: jq -c . FILE | pmctl ticket batch --stream")
		}
		return err
	}
	return nil
}

// writeFailedLine keeps a line's place in the output: by the document of its error, or by
// an empty line among payments.
func (r *run) writeFailedLine(out io.Writer, failed error) error {
	if r.output == format.Payment {
		if _, err := io.WriteString(out, "\n"); err != nil {
			return err
		}
		r.note("%v", failed)
		return nil
	}
	c := classify(failed)
	return format.WriteError(out, format.Error{Code: c.code, ExitCode: c.exit, Message: failed.Error(), Hint: c.hint})
}
