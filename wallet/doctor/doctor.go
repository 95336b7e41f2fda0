// Package doctor runs checks that depend on one another: a check whose needs are not
// met is not run, since what it finds would be a fault of theirs. What the checks look
// at is their own affair.
package doctor

import (
	"context"
	"fmt"
	"strings"
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
	State State
	// Found is the value in words, Allowed its bound; Allowed is empty where there is
	// none.
	Found, Allowed string
	// Knob is what sets the value or the bound, and whose it is; Fix is what to do about
	// it. Both are empty when nothing is wrong.
	Knob, Fix string
	// Err is the error of a check that failed, where there is one.
	Err error
}

// Check is one thing to look at.
type Check struct {
	// ID names the check, for scripts.
	ID string
	// Needs are the IDs of checks before this one that must not fail for it to be made.
	Needs []string
	// Run looks. It is called at most once.
	Run func(context.Context) Finding
}

// Report is a check's finding.
type Report struct {
	ID string
	Finding
}

// Run makes the checks in their order and returns a report of each. A check is skipped
// when one of its needs failed, was skipped, or did not come before it; when ctx has
// ended, all that are left are.
func Run(ctx context.Context, checks []Check) []Report {
	reports := make([]Report, 0, len(checks))
	passed := make(map[string]bool, len(checks))
	for _, check := range checks {
		finding := Finding{State: Skipped}
		missing := unmet(check.Needs, passed)
		switch {
		case ctx.Err() != nil:
			finding.Found, finding.Err = "not checked: "+ctx.Err().Error(), ctx.Err()
		case len(missing) > 0:
			finding.Found = fmt.Sprintf("not checked: needs %s", strings.Join(missing, ", "))
		default:
			finding = check.Run(ctx)
		}
		passed[check.ID] = finding.State == OK || finding.State == Warning
		reports = append(reports, Report{check.ID, finding})
	}
	return reports
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

// FirstFailed returns the first report of a check that failed; nil when none did.
func FirstFailed(reports []Report) *Report {
	for i := range reports {
		if reports[i].State == Failed {
			return &reports[i]
		}
	}
	return nil
}
