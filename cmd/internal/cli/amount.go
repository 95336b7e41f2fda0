package cli

import (
	"fmt"

	"github.com/pmctl/pmctl/wallet/wei"
)

// ParseAmount reads an amount of a flag; a flag that is not given is 0.
func ParseAmount(flag, text string) (wei.Wei, error) {
	if text == "" {
		return wei.Wei{}, nil
	}
	amount, err := wei.Parse(text)
	if err != nil {
		return wei.Wei{}, Usage(fmt.Errorf("%s: %w", flag, err))
	}
	return amount, nil
}

// parseValue reads the amount of --value, which is more than nothing.
func parseValue(text string) (wei.Wei, error) {
	value, err := ParseAmount("--value", text)
	if err == nil && value.IsZero() {
		err = Usagef("--value must be more than 0, such as 3000gwei or 0.00001eth")
	}
	return value, err
}
