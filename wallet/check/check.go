// Package check looks at what a payment and a transaction need, and says what it found: one
// type for whatever was looked at, be it ticket params, funds, a node, a store or a
// recipient. What a finding says is for people; its ID and its state are for programs.
//
// Run makes checks that depend on one another: one whose needs are not met is not made,
// since what it found would be a fault of theirs.
package check

import (
	"context"
	"fmt"
	"strings"

	"github.com/pmctl/pmctl/internal/hint"
)

// State is how a check ended.
type State string

const (
	// OK is a check that found nothing wrong.
	OK State = "ok"
	// Failed is a check that found a fault.
	Failed State = "failed"
	// Skipped is a check that could not be made.
	Skipped State = "skipped"
	// Warning is a check that found what the user should know, and what keeps nothing
	// from working.
	Warning State = "warning"
)

// Finding is what a check found.
type Finding struct {
	// ID names what was looked at, for programs.
	ID    string `json:"id"`
	State State  `json:"state"`
	// Found is the value in words, Allowed its bound; empty where there is none.
	Found   string `json:"found"`
	Allowed string `json:"allowed,omitempty"`
	// Knob is what sets the value or the bound, and whose it is; Fix is what to do about
	// it. Both are empty when nothing is wrong.
	Knob string `json:"knob,omitempty"`
	Fix  string `json:"fix,omitempty"`
	// Err is the error of a check that failed, where there is one.
	Err error `json:"-"`
}

// Whose a setting is: what a Knob begins with.
const (
	OwnerUser      = "yours: "
	OwnerRecipient = "the recipient's: "
	OwnerNetwork   = "the network's: "
)

// Fine is a check that found nothing wrong.
func Fine(format string, args ...any) Finding {
	return Finding{State: OK, Found: fmt.Sprintf(format, args...)}
}

// Warn is a check that found what the user should know.
func Warn(found, allowed, knob, fix string) Finding {
	return Finding{State: Warning, Found: found, Allowed: allowed, Knob: knob, Fix: fix}
}

// NotMade is a check that could not be made.
func NotMade(format string, args ...any) Finding {
	return Finding{State: Skipped, Found: "not checked: " + fmt.Sprintf(format, args...)}
}

// Fail is a check whose error says what was found, and what to do about it.
func Fail(err error, allowed, knob string) Finding {
	fix, _ := hint.Of(err)
	return Finding{State: Failed, Found: err.Error(), Allowed: allowed, Knob: knob, Fix: fix, Err: err}
}

// Unread is a check that could not be made because what it reads does not answer.
func Unread(err error) Finding {
	return Fail(err, "an answer", OwnerUser+"--rpc-url, --store").Or("run pmctl doctor again")
}

// Or is the finding with what to do about it where its error does not say.
func (f Finding) Or(fix string) Finding {
	if f.Fix == "" {
		f.Fix = fix
	}
	return f
}

// At is the finding with the value alone in place of what its error says.
func (f Finding) At(value string) Finding {
	f.Found = value
	return f
}

// Check is one thing to look at.
type Check struct {
	// ID names the check, for programs.
	ID string
	// Needs are the IDs of checks before this one that must not fail for it to be made.
	Needs []string
	// Run looks. It is called at most once.
	Run func(context.Context) Finding
}

// Run makes the checks in their order and returns what each found. A check is skipped when
// one of its needs failed, was skipped, or did not come before it; when ctx has ended, all
// that are left are.
func Run(ctx context.Context, checks []Check) []Finding {
	findings := make([]Finding, len(checks))
	passed := make(map[string]bool, len(checks))
	for i, check := range checks {
		var f Finding
		missing := unmet(check.Needs, passed)
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

func unmet(needs []string, passed map[string]bool) []string {
	var missing []string
	for _, need := range needs {
		if !passed[need] {
			missing = append(missing, need)
		}
	}
	return missing
}
