package facts

import (
	"fmt"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/chain"
)

// Stale returns the error of facts about the chain that are too old, where no node answers. age is theirs, 0
// if there are none; most is the highest age allowed, and why is the reason that there are no newer ones. It matches
// chain.ErrUnreachable.
func Stale(age, most time.Duration, why error) error {
	if age == 0 {
		return hint.Kind(chain.ErrUnreachable, fmt.Errorf("no data from the chain: %w", why))
	}
	shown := age.Round(time.Second)
	if shown <= most { // which it exceeds by less than a second
		shown = age
	}
	return hint.Kind(chain.ErrUnreachable, fmt.Errorf("the data from the chain is %s old, and may be %s old: %w", duration.Text(shown), duration.Text(most), why))
}
