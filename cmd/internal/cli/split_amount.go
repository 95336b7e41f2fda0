package cli

import (
	"strings"

	"github.com/pmctl/pmctl/wallet/wei"
)

// splitAmount is the error about an amount that the shell has made two words of, such as
// 1 gwei; nil where there is none.
func splitAmount(args []string) error {
	for i := 1; i < len(args); i++ {
		number, unit := args[i-1], args[i]
		if _, value, joined := strings.Cut(number, "="); joined && strings.HasPrefix(number, "--") {
			number = value
		}
		amount, _, _ := strings.Cut(unit, "/") // as in a price
		if !wei.IsUnit(amount) {
			continue
		}
		if _, err := wei.Parse(number + amount); err == nil {
			return WithHint(Usagef("%q and %q are two arguments to the shell, not one amount", number, unit),
				"write %s%s, or quote it: '%s %s'", number, unit, number, unit)
		}
	}
	return nil
}
