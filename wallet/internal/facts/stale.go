package facts

import (
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/chain"
)

// StaleError is returned when what is known of the chain is too old, and no node answers. It
// matches chain.ErrUnreachable.
type StaleError struct {
	// Account is whose funds are among it; Age is how old it is, 0 when nothing is known;
	// Max is how old it may be.
	Account  common.Address
	Age, Max time.Duration
	// Err is why nothing newer can be had.
	Err error
}

func (e *StaleError) Error() string {
	if e.Age == 0 {
		return fmt.Sprintf("nothing is known of the chain: %v", e.Err)
	}
	return fmt.Sprintf("what is known of the chain is %v old, and may be %v old: %v", e.Age.Round(time.Second), e.Max, e.Err)
}

// Unwrap returns why nothing newer can be had.
func (e *StaleError) Unwrap() error { return e.Err }

// Is matches chain.ErrUnreachable.
func (e *StaleError) Is(target error) bool { return target == chain.ErrUnreachable }
