// Package call has the command that calls an app and pays for it.
package call

import (
	"context"
	"net/http"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/wei"
)

// options are the flags of pmctl call.
type options struct {
	payer             cli.PayerOptions
	id                cli.RequestOption
	ask               requestOptions
	answer            answerOptions
	session           sessionOptions
	signer            cli.SignerOption
	maxPrice, maxCost string
	noPay             bool
}

// NewCall is pmctl call.
func NewCall(r *cli.Run) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "call URL [flags] [-- COMMAND…]",
		Short: "Call an app of an orchestrator, and pay for it",
		Long: `Send an HTTP request to an app, pay the price that its orchestrator asks for,
and write the app's answer to stdout as it arrives. pmctl reports the cost on
stderr. pmctl runner list shows the URLs of apps.

pmctl first sends the request without a payment. The orchestrator answers with
status 402, its price and its ticket params. pmctl checks them as for any
payment: your limits, the address pinned for the URL, that the orchestrator is
active, and the chain; then --max-price and --max-cost. If all checks pass,
pmctl creates the tickets and sends the request again with them. It sends the
body when the orchestrator asks for it (Expect: 100-continue).

The orchestrator lists the unit of an app's price: call, second, or
720p-pixel-second (one pixel of 720p video). If it does not list the app, pass
--max-price, which names the unit. pmctl pays in whole tickets: a call can cost
up to one ticket more than its fee.

A URL that ends in /session opens a session. pmctl pays for it every 5 seconds,
at the price it began with, until COMMAND exits, the time of --for has passed,
you press Ctrl-C, or a payment would exceed --max-cost or another limit. Then
pmctl stops the session. If the orchestrator, the remote signer, the node or the
store's server cannot be reached, pmctl tries again, and ends the session once
no payment has been made for 30 seconds. COMMAND has PMCTL_APP_URL,
PMCTL_CONTROL_URL and PMCTL_SESSION_ID in its environment; if it fails, the exit
code is 1. Without COMMAND, pmctl writes the orchestrator's answer, which has
the URLs, to stdout.

pmctl gives up on an orchestrator that does not answer within --timeout: the
request without a payment, or the paid one that opens a session; and on a remote
signer, at the latest after a minute. The answer of a paid app may take any time.

With --request-id, a call is paid once, however often you run it. If the app has
already answered, pmctl sends nothing and exits with code 8; it does not store
answers. If the outcome is unknown, pmctl sends the same tickets again. pmctl
continues a session that was paid within the last 30 seconds, and opens no
second one. It reads the whole body, up to 16 MiB, before it sends anything. An
ID stands for a method, URL and body: headers may differ in a retry, such as an
Authorization that has expired.

With --signer, a remote signer pays and this machine needs no key. The signer
applies its own limits and network; pmctl applies --max-price, --max-cost and
--recipient, and refuses the flags of other limits. pmctl sends --request-id as
the Idempotency-Key of the first payment. A retry after that payment was signed
pays nothing and exits with code 8: only a local store has what pmctl would need
to send the same tickets again.

The request flags work as in curl, except -o, which is --output: use --out FILE
for the answer. With --output json, stdout has a document about the cost, and
--out is required.

If the app answers with status 400 or above, pmctl writes the answer and exits
with code 1. The exit code is also 1 if the orchestrator refuses the payment,
and 8 if it does not answer a payment. pmctl follows only a redirect (307 or 308)
to another path of the orchestrator, before it pays. Any other one is the app's
answer, with exit code 0, as for curl without -L.`,
		Example: `  pmctl call https://orchestrator.example:8935/apps/echo/app \
    --max-price '500 gwei/call' -d 'hello'
  pmctl call https://orchestrator.example:8935/apps/echo/app --no-pay
  pmctl call https://orchestrator.example:8935/apps/echo/app \
    --data-binary @- --max-cost 5000gwei --request-id job-17 <frame.png
  pmctl call https://orchestrator.example:8935/apps/live/session \
    --max-price '500 gwei/second' --max-cost 0.001eth \
    -- sh -c 'curl -k -d hello "$PMCTL_APP_URL/"'
  pmctl call https://orchestrator.example:8935/apps/echo/app -d hello \
    --signer https://signer.example:8935 --signer-token-file token`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.session.command = args[1:]
			return run(r, cmd, &o, args[0])
		},
	}
	o.ask.register(cmd)
	o.answer.register(cmd)
	o.session.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.maxPrice, "max-price", "", "pay at most `PRICE`: AMOUNT/call, AMOUNT/second or AMOUNT/720p-pixel-second, such as '500 gwei/call'")
	flags.StringVar(&o.maxCost, "max-cost", "", "pay at most `AMOUNT` in total, over all runs with the same --request-id")
	flags.BoolVar(&o.noPay, "no-pay", false, "show the first payment, and pay nothing")
	o.id.Register(cmd, "a payment")
	o.payer.Register(cmd)
	o.payer.Limits.RegisterInactive(cmd)
	o.signer.Register(cmd, "pay, instead of a local account")
	dialect.InGroup(cmd, dialect.AccountFlags, "signer", "signer-token-file")
	for _, local := range []string{
		"from", "key-fd", "keystore", "passphrase-file", "passphrase-fd", "store",
		"max-ticket-ev", "max-total-ev", "max-face-value", "deposit-multiplier", "max-head-age", "inactive-ok",
		"network", "chain-id", "controller", "rpc-url", "accept-contracts",
	} {
		dialect.Relate(cmd, dialect.Exclusive, "signer", local) // it would have no effect
	}
	return cmd
}

// terms are what the user agrees to pay.
func (o *options) terms() (terms call.Terms, err error) {
	if o.maxPrice != "" {
		price, err := call.ParsePrice(o.maxPrice)
		if err != nil {
			return terms, cli.Usagef("--max-price: %w", err)
		}
		terms.MaxPrice = &price
	}
	if o.maxCost != "" {
		var most wei.Wei
		if most, err = cli.ParseAmount("--max-cost", o.maxCost); err != nil {
			return terms, err
		}
		terms.MaxCost = &most
	}
	return terms, nil
}

func run(r *cli.Run, cmd *cobra.Command, o *options, url string) error {
	target, err := call.ParseTarget(url)
	if err != nil {
		return cli.Usage(err)
	}
	terms, err := o.terms()
	if err != nil {
		return err
	}
	if err := o.id.Check(cmd); err != nil {
		return err
	}
	if err := o.session.check(cmd, target); err != nil {
		return err
	}
	if err := o.answer.check(r, o.noPay); err != nil {
		return err
	}
	request, end, err := o.ask.request(cmd.Context(), r, cmd, target, o.id.ID != "", o.payer.Account.Keys.OnStdin())
	if err != nil {
		return err
	}
	defer end()
	answer, err := o.answer.open(r)
	if err != nil {
		return err
	}
	defer answer.file.Close()
	options := wallet.CallOptions{Terms: terms, Timeout: o.payer.Network.Timeout, RequestID: o.id.ID, Answered: answer.write, OnRequest: r.OnRequest}
	if o.id.ID == "" { // nothing is sent for a request that was answered before
		options.Orchestrator = wallet.Contact(cmd.Context(), target, r.OnRequest)
		defer options.Orchestrator.Close()
	}
	caller, done, err := o.caller(r, cmd, request, options)
	if err != nil {
		return err
	}
	defer done()
	sender := caller.Purse.Sender()
	if o.noPay {
		return quote(cmd.Context(), r, caller, sender, request)
	}
	result, err := o.call(cmd.Context(), r, caller, request, answer)
	return finish(r, sender, request, result, err)
}

// caller is what calls for the account, or for the remote signer's.
func (o *options) caller(r *cli.Run, cmd *cobra.Command, request *call.Request, options wallet.CallOptions) (*call.Caller, func(), error) {
	signer, err := o.signer.Client(r.Env)
	if err != nil {
		return nil, nil, err
	}
	if signer != nil {
		only, err := o.payer.Limits.Named()
		if err != nil {
			return nil, nil, err
		}
		return wallet.NewSignerCaller(cmd.Context(), signer, only, options)
	}
	w, err := cli.OpenWallet(r, cmd, &o.payer)
	if err != nil {
		return nil, nil, err
	}
	caller, done, err := wallet.NewCaller(cmd.Context(), w, request, options)
	if err != nil {
		w.Close()
		return nil, nil, err
	}
	return caller, func() {
		done()
		w.Close()
	}, nil
}

// call calls the app, once or in a session.
func (o *options) call(ctx context.Context, r *cli.Run, caller *call.Caller, request *call.Request, answer *answer) (*call.Result, error) {
	if !request.Target.Sessions() {
		return caller.Call(ctx, request)
	}
	run := o.session.run(r, answer.out, o.ask.stdin())
	if run != nil {
		caller.Answered = discard // the command has it in its environment
	}
	result, err := caller.Hold(ctx, request, call.SessionOptions{For: o.session.length, Run: run})
	if run != nil && err == nil {
		err = answer.commit()
	}
	return result, err
}

func discard(*http.Response) error { return nil }

func quote(ctx context.Context, r *cli.Run, caller *call.Caller, sender common.Address, request *call.Request) error {
	caller.Answered = discard
	due, err := caller.Quote(ctx, request)
	if err != nil {
		return err
	}
	result := quoted(sender, request, due)
	return r.Emit("pmctl.call", result, result.writeQuote)
}
