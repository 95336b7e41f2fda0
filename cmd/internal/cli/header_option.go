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
	cmd.Flags().StringVar(&o.max, "max-header", "", "largest HTTP header of a delivery in `BYTES`; more tickets than fit are delivered in parts (default what the recipient has taken, or "+strconv.Itoa(pay.DefaultMaxHeader)+")")
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
	if folder, err := env.CacheDir(); err == nil {
		limits.File = filepath.Join(folder, "headers.json")
	}
	return limits, nil
}
