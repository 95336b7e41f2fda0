package signer

import (
	"errors"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/wei"
)

// noTerm is the value of a flag that removes a term.
const noTerm = "none"

// termsOptions say what a client may have signed.
type termsOptions struct {
	limits                      map[string]*string // of the allowances, by their names
	expires                     string
	recipients, apps, maxPrices []string
	overcommit                  bool
}

func (o *termsOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	o.limits = make(map[string]*string)
	for _, a := range allowances() {
		o.limits[a.name] = flags.String(a.flag, "", a.usage)
	}
	flags.StringVar(&o.expires, "expires", "", "expire the client at `TIME`: RFC 3339, or a duration from now, such as 720h or 30d")
	flags.StringSliceVar(&o.recipients, "recipient", nil, "allow payments to `ADDRESS` only; repeatable (default: any)")
	flags.StringSliceVar(&o.apps, "app", nil, "allow payments for `APP` only; repeatable (default: any)")
	flags.StringSliceVar(&o.maxPrices, "max-price", nil, "refuse prices above `'N wei/UNIT'`, and all other units; UNIT is second, 720p-pixel-second, call or pixel; repeatable")
	flags.BoolVar(&o.overcommit, "overcommit", false, "accept allowances that deposit and reserve do not cover")
}

// apply changes the terms that the flags name.
func (o *termsOptions) apply(client *wallet.SignerClient, now time.Time) error {
	terms := &client.Terms
	terms.Overcommit = terms.Overcommit || o.overcommit
	for _, a := range allowances() {
		switch text := *o.limits[a.name]; text {
		case "":
		case noTerm:
			*a.of(terms) = nil
		default:
			limit, err := cli.ParseAmount("--"+a.flag, text)
			if err != nil {
				return err
			}
			*a.of(terms) = &limit
		}
	}
	var err error
	if o.expires != "" {
		if client.ExpiresAt, err = parseExpiry(o.expires, now); err != nil {
			return err
		}
	}
	if len(o.recipients) > 0 {
		if terms.Recipients, err = parseRecipients(o.recipients); err != nil {
			return err
		}
	}
	if len(o.apps) > 0 {
		if terms.Apps = o.apps; isNone(o.apps) {
			terms.Apps = nil
		}
	}
	if len(o.maxPrices) > 0 {
		if terms.MaxPrices = nil; !isNone(o.maxPrices) {
			terms.MaxPrices, err = parsePrices(o.maxPrices)
		}
	}
	return err
}

func isNone(list []string) bool { return slices.Equal(list, []string{noTerm}) }

// parseExpiry returns the zero time for never.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if text == noTerm {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		length, err := duration.Parse(text)
		if err != nil || length <= 0 {
			return at, cli.Usagef("--expires %q is not an RFC 3339 time or a duration such as 720h", text)
		}
		at = now.Add(length)
	}
	if !at.After(now) {
		return at, cli.WithHint(cli.Usagef("--expires %s is in the past", text), "pmctl signer client revoke NAME refuses a client from now on")
	}
	return at.UTC().Truncate(time.Millisecond), nil
}

func parseRecipients(texts []string) (recipients []common.Address, err error) {
	if isNone(texts) {
		return nil, nil
	}
	for _, text := range texts {
		recipient, err := cli.ParseAddress("--recipient", text)
		if errors.Is(err, format.ErrAddress) {
			err = cli.Usagef("--recipient %q is not an address: 0x and 40 hex digits", text)
		}
		if err != nil {
			return nil, err
		}
		recipients = append(recipients, recipient)
	}
	return recipients, nil
}

// parsePrices reads the values of --max-price.
func parsePrices(texts []string) (live.MaxPrices, error) {
	prices, err := live.ParseMaxPrices(texts)
	if err != nil {
		return nil, cli.Usagef("--max-price %w", err)
	}
	return prices, nil
}

// allowance is a bound of what a client may have signed.
type allowance struct {
	// name is its name in documents, and in the signer's refusals.
	name string

	label, flag, usage string

	of func(*wallet.SignerTerms) **wei.Wei
}

func allowances() []allowance {
	return []allowance{
		{"ev_per_day", "EV per day", "ev-per-day", "limit the expected value (EV) of a day's tickets to `AMOUNT`",
			func(t *wallet.SignerTerms) **wei.Wei { return &t.EVPerDay }},
		{"face_value_per_day", "face value per day", "face-value-per-day", "limit the face value of a day's tickets to `AMOUNT`: the cost if every ticket wins",
			func(t *wallet.SignerTerms) **wei.Wei { return &t.FaceValuePerDay }},
		{"ev_total", "total EV", "ev-total", "limit the expected value (EV) of all tickets to `AMOUNT`",
			func(t *wallet.SignerTerms) **wei.Wei { return &t.EVTotal }},
	}
}
