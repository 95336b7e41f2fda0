// Package check examines what a payment or a transaction needs: ticket params, funds, a node, a
// store, a recipient. Each check returns a Finding, with a text for people, and an ID and a state
// for programs.
//
// Run runs checks that depend on one another: a check whose needs have failed is skipped, since its
// result would only repeat their fault.
package check

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pmctl/pmctl/internal/hint"
)

// State is the result of a check.
type State string

const (
	// OK: nothing is wrong.
	OK State = "ok"
	// Failed: there is a fault.
	Failed State = "failed"
	// Skipped: the check could not be made.
	Skipped State = "skipped"
	// Warning: the user should know, but nothing is prevented from working.
	Warning State = "warning"
)

// Finding is the result of a check, with its reason.
type Finding struct {
	// ID identifies the check, for programs.
	ID    string `json:"id"`
	State State  `json:"state"`
	// Found is the value in words, Allowed its bound; "" for none.
	Found   string `json:"found"`
	Allowed string `json:"allowed,omitempty"`
	// Knob is the setting that decides, and whose it is. Fix is what to do. Both are "" if nothing
	// is wrong.
	Knob string `json:"setting,omitempty"`
	Fix  string `json:"fix,omitempty"`
	// Err is the error of a failed check, if there is one.
	Err error `json:"-"`
}

// Prefixes of Finding.Knob: whose setting it is.
const (
	OwnerUser      = "yours: "
	OwnerRecipient = "the recipient's: "
	OwnerNetwork   = "the network's: "
)

// Fine returns a finding that nothing is wrong.
func Fine(format string, args ...any) Finding {
	return Finding{State: OK, Found: fmt.Sprintf(format, args...)}
}

// Warn returns a warning.
func Warn(found, allowed, knob, fix string) Finding {
	return Finding{State: Warning, Found: found, Allowed: allowed, Knob: knob, Fix: fix}
}

// NotMade returns a finding that the check could not be made.
func NotMade(format string, args ...any) Finding {
	return Finding{State: Skipped, Found: "not checked: " + fmt.Sprintf(format, args...)}
}

// Fail returns a failed finding whose error says what was found and what to do.
func Fail(err error, allowed, knob string) Finding {
	fix, _ := hint.Of(err)
	return Finding{State: Failed, Found: err.Error(), Allowed: allowed, Knob: knob, Fix: fix, Err: err}
}

// Unread returns a failed finding for a check whose source does not answer.
func Unread(err error) Finding {
	return Fail(err, "an answer", OwnerUser+"--rpc-url, --store").Or("run pmctl doctor again")
}

// Or sets what to do, if the error has no hint.
func (f Finding) Or(fix string) Finding {
	f.Fix = cmp.Or(f.Fix, fix)
	return f
}

// At replaces the error's text by the value found.
func (f Finding) At(value string) Finding {
	f.Found = value
	return f
}

// Check is one check.
type Check struct {
	// ID identifies the check, for programs.
	ID string
	// Needs are the IDs of earlier checks that must not fail.
	Needs []string
	// Run makes the check. It is called at most once.
	Run func(context.Context) Finding
}

// Run makes the checks in order and returns their findings. It skips a check if one of its needs
// failed, was skipped or is not an earlier check, and all remaining ones once ctx has ended.
func Run(ctx context.Context, checks []Check) []Finding {
	findings := make([]Finding, len(checks))
	passed := make(map[string]bool, len(checks))
	for i, check := range checks {
		var f Finding
		missing := slices.DeleteFunc(slices.Clone(check.Needs), func(need string) bool { return passed[need] })
		switch {
		case ctx.Err() != nil:
			f = NotMade("%v", ctx.Err())
			f.Err = ctx.Err()
		case len(missing) > 0:
			f = NotMade("needs %s", strings.Join(missing, ", "))
		default:
			f = check.Run(ctx)
		}
		f.ID = check.ID
		passed[f.ID] = f.State == OK || f.State == Warning
		findings[i] = f
	}
	return findings
}
