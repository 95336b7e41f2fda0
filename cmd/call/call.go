// Package call has the command that calls an app and pays for it.
package call

import (
	"context"
	"net/http"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
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
		Use:   "call URL [-- COMMAND…]",
		Short: "Call an app of an orchestrator, and pay for it",
		Long: `Send an HTTP request to an app, pay what its orchestrator asks for, and write
the app's answer to stdout as it arrives. What the call cost is on stderr. URL
is an app's of a live runner, as the orchestrator's /discovery lists it.

pmctl sends the request without a payment first. The orchestrator answers with
status 402, its price and ticket params. They are checked like those of any
payment: your limits, the address pinned for the URL, an active orchestrator,
the chain, then --max-price and --max-cost. Only then tickets are created, and
the request is sent again with them. A request's body waits until the
orchestrator wants it, and is sent once.

The unit of the price is the one that the orchestrator lists for the app: a
call, a second, or a pixel of a second of video (720p-pixel-second). An
orchestrator that lists nothing needs --max-price, which names the unit. Tickets
are whole: a call can cost up to one ticket more than its fee.

A URL that ends in /session opens a session. pmctl pays for it every 5 seconds,
at its first price, until COMMAND ends, --for is over, you press Ctrl-C, or a
payment would exceed --max-cost or another limit; then it stops the session.
COMMAND finds PMCTL_APP_URL, PMCTL_CONTROL_URL and PMCTL_SESSION_ID in its
environment; if it fails, the exit code is 1. Without a COMMAND the
orchestrator's answer, which has the URLs, is on stdout.

With --request-id a call is paid once, however often you run it. After an answer
nothing is sent again (exit code 8): the answer is not kept. While the outcome
is unknown, the same tickets are sent again. A session that was paid within the
last 30 seconds is continued; no second one is opened. The body is read whole
before anything is sent, up to 16 MiB.

With --signer a remote signer pays, and this machine needs no key: the signer's
limits and its network apply, and here --max-price, --max-cost and --recipient.
--request-id goes along as the Idempotency-Key of the first payment: a retry is
never paid twice, but may fail where a store would continue.

The flags are curl's, except that -o is --output here: use --out FILE for the
answer. With --output json stdout has the document about the cost, and --out is
required.

An answer of the app with status 400 or above is written like any other; the
exit code is 1. A payment that the orchestrator refuses is exit code 1 as well,
and one that is not answered is 8.`,
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
	flags.StringVar(&o.maxCost, "max-cost", "", "pay at most `AMOUNT` in all, over every run of the same --request-id")
	flags.BoolVar(&o.noPay, "no-pay", false, "show what the first payment would be, and pay nothing")
	o.id.Register(cmd, "a payment")
	o.payer.Register(cmd)
	o.payer.Limits.RegisterInactive(cmd)
	o.signer.Register(cmd, "pay, instead of an account of this machine")
	cli.InGroup(cmd, cli.AccountFlags, "signer", "signer-token-file")
	for _, key := range []string{"from", "key-fd", "keystore", "passphrase-file", "passphrase-fd", "store"} {
		cmd.MarkFlagsMutuallyExclusive("signer", key)
	}
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
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
	if err := o.session.check(target); err != nil {
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
	defer answer.close()
	caller, done, err := o.caller(r, cmd, request, wallet.CallOptions{Terms: terms, RequestID: o.id.ID, Answered: answer.write})
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
