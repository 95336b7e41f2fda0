package cli

import (
	"strings"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/terminal"
)

// EmitList is Emit for a list that may be longer than the screen: on a terminal it goes
// through the user's pager then.
func EmitList(r *Run, kind string, data any, table func(*page.Page)) error {
	pager := pagerOf(r.Env)
	if pager == "" || r.Screen == nil || r.Output == OutputJSON {
		return r.Emit(kind, data, table)
	}
	var text strings.Builder
	table(OutPageOn(r, &text))
	if _, rows := r.OutSize(); strings.Count(text.String(), "\n") >= rows && terminal.Page(pager, text.String(), r.Screen, r.Err) {
		return nil
	}
	return r.Emit(kind, data, func(out *page.Page) { out.Print(text.String()) })
}

// pagerOf is the command line of the user's pager, as gh finds it: PMCTL_PAGER, or else PAGER.
// It is "" for none.
func pagerOf(e *Env) string {
	pager := e.Getenv("PMCTL_PAGER")
	if pager == "" {
		pager = e.Getenv("PAGER")
	}
	if pager == "cat" || e.Getenv("TERM") == "dumb" {
		return ""
	}
	return pager
}
