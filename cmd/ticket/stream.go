package ticket

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
)

// lineFormats are the forms of a stream's lines, by the format that --output names.
func lineFormats() map[string]string {
	return map[string]string{format.NDJSON: format.JSONLine, format.Headers: format.HeadersLine, format.Payment: format.Payment}
}

// streamBatches makes a batch of each line of params, and writes one line for each.
func streamBatches(r *cli.Run, cmd *cobra.Command, o *batchOptions, amount pay.Amount) error {
	switch {
	case o.url != "":
		return cli.Usagef("--stream and --recipient-url exclude each other: write the URL on a line of the input")
	case r.OutputByDefault:
		r.Output = format.NDJSON
	case lineFormats()[r.Output] == "":
		return cli.Usagef("--stream writes one line for each batch: --output must be ndjson, headers or payment, not %s", r.Output)
	}
	if err := o.request.Check(cmd); err != nil {
		return err
	}
	out, err := cli.OpenOutput(r, o.out)
	if err != nil {
		return err
	}
	defer out.Close()
	w, err := cli.OpenWallet(r, cmd, &o.PayerOptions)
	if err != nil {
		return err
	}
	defer w.Close()
	in, err := cli.OpenDocument(cmd.Context(), r, o.params)
	if err != nil {
		return err
	}
	defer in.Close()
	cli.PrepareFor(cli.Several) // at least: the lines have not been counted
	s := wallet.StreamOptions{
		In: in, Out: out, Format: lineFormats()[r.Output], Amount: amount, Adopt: o.adopt, Credentials: credentials(r), RequestID: o.request.ID,
		Failed: func(url string, err error) error { return writeFailedLine(r, out, url, err) },
	}
	if o.params == "-" {
		s.In = r.In // whose reads end when it is closed
	}
	made, err := w.Stream(cmd.Context(), s)
	if err == nil {
		err = out.Commit()
	}
	return streamed(r, made, err, o)
}

func streamed(r *cli.Run, made wallet.StreamResult, err error, o *batchOptions) error {
	if err != nil && made == (wallet.StreamResult{}) {
		return err // nothing was begun
	}
	if err != nil && o.request.ID == "" && made.Unwritten > 0 {
		return fmt.Errorf("%s, and used up the nonces of %s more: %w", made, wallet.Batches(made.Unwritten), err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", made, err)
	}
	r.Note("%s", made)
	if made.Failed > 0 {
		err := fmt.Errorf("%d of %d lines failed; the first, %w", made.Failed, made.Lines, made.FirstFailure)
		if errors.Is(err, format.ErrTruncated) {
			err = cli.WithHint(err, "each line must be a whole document: jq -c . FILE | pmctl ticket batch --stream")
		}
		return err
	}
	return nil
}

// writeFailedLine keeps a line's place in the output: by the document of its error, or by
// an empty line among payments.
func writeFailedLine(r *cli.Run, out io.Writer, url string, failed error) error {
	if r.Output == format.Payment {
		if _, err := io.WriteString(out, "\n"); err != nil {
			return err
		}
		r.Note("%v", failed)
		return nil
	}
	e := cli.Failure(failed)
	e.URL = url
	return format.WriteError(out, e)
}
