package cli

import (
	"fmt"
	"strings"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
)

// showRequests writes requests to other programs to stderr if --verbose was passed.
func showRequests(r *Run) func(wallet.Request) {
	return func(q wallet.Request) {
		if r.Verbose {
			r.screen.Print(page.PlainLines(requestLine(q)))
		}
	}
}

func requestLine(q wallet.Request) string {
	counts := make(map[string]int)
	var methods []string
	for _, method := range q.Methods {
		if counts[method]++; counts[method] == 1 {
			methods = append(methods, method)
		}
	}
	for i, method := range methods {
		if n := counts[method]; n > 1 {
			methods[i] = fmt.Sprintf("%d × %s", n, method)
		}
	}
	outcome := "answered"
	if q.Err != nil {
		outcome = q.Err.Error()
	}
	return fmt.Sprintf("%-9s %s: %s: %d ms: %s", q.To, q.URL, strings.Join(methods, ", "), q.Took.Milliseconds(), outcome)
}
