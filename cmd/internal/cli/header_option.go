package cli

import (
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/pay"
)

// HeaderOption is how large the HTTP header of a payment may be.
type HeaderOption struct{ max string }

// Register adds the flags to a command.
func (o *HeaderOption) Register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.max, "max-header", "", "deliver in parts if the payment header exceeds `BYTES` (default: what the recipient accepted before, or "+strconv.Itoa(pay.DefaultMaxHeader)+")")
}

// Limits are the limits by recipient, with what earlier runs have learnt.
func (o *HeaderOption) Limits(env *Env) (*pay.HeaderLimits, error) {
	limits := new(pay.HeaderLimits)
	if o.max != "" {
		asked, err := strconv.ParseUint(o.max, 10, 31)
		if err != nil || asked < pay.MinMaxHeader {
			return nil, Usagef("--max-header: %q is not a whole number from %d", o.max, pay.MinMaxHeader)
		}
		limits.Asked = int(asked)
	}
	// Without a home folder there is no cache.
	if folder, err := env.cacheDir(); err == nil {
		limits.File = filepath.Join(folder, "headers.json")
	}
	return limits, nil
}
