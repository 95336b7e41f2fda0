package facts

import (
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet/chain"
)

// StaleError is returned if the facts about the chain are too old, and no node answers. It
// matches chain.ErrUnreachable.
type StaleError struct {
	// Account is the account whose funds are among them; Age is their age, 0 if there are
	// none; Max is the highest age allowed.
	Account  common.Address
	Age, Max time.Duration
	// Err is why there are no newer ones.
	Err error
}

func (e *StaleError) Error() string {
	if e.Age == 0 {
		return fmt.Sprintf("no data from the chain: %v", e.Err)
	}
	age := e.Age.Round(time.Second)
	if age <= e.Max { // which it exceeds by less than a second
		age = e.Age
	}
	return fmt.Sprintf("the data from the chain is %s old, and may be %s old: %v", duration.Text(age), duration.Text(e.Max), e.Err)
}

func (e *StaleError) Unwrap() error        { return e.Err }
func (e *StaleError) Is(target error) bool { return target == chain.ErrUnreachable }
