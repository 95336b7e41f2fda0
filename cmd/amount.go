package cmd

import (
	"fmt"

	"github.com/pmctl/pmctl/wallet/wei"
)

// parseAmount reads an amount of a flag; a flag that is not given is 0.
func parseAmount(flag, text string) (wei.Wei, error) {
	if text == "" {
		return wei.Wei{}, nil
	}
	amount, err := wei.Parse(text)
	if err != nil {
		return wei.Wei{}, &usageError{fmt.Errorf("%s: %w", flag, err)}
	}
	return amount, nil
}

// parseValue reads the amount of --value, which is more than nothing.
func parseValue(text string) (wei.Wei, error) {
	value, err := parseAmount("--value", text)
	if err == nil && value.IsZero() {
		err = usagef("--value: say more than 0, with its unit: 3000gwei or 0.00001eth")
	}
	return value, err
}
