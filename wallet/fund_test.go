package wallet_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// doubtful is a user who reads everything, and says no.
type doubtful struct{ read []string }

var errNo = errors.New("no")

func (d *doubtful) Note(text string) { d.read = append(d.read, text) }
func (d *doubtful) Confirm(_ context.Context, question string) error {
	d.Note(question)
	return errNo
}
func (d *doubtful) Asks() bool                           { return true }
func (d *doubtful) Progress(func() string) (done func()) { return func() {} }

// TestFundingForAnotherNamesBoth: the question has the account that pays and the one that is funded.
func TestFundingForAnotherNamesBoth(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "1eth"})
	w := r.open(1)
	defer w.Close()
	user := new(doubtful)
	w.UI = user
	_, err := w.Fund(t.Context(), wallet.Funding{Deposit: wei.FromUint64(7), Beneficiary: r.Accounts()[0].Address}, wallet.SendOptions{})
	require.ErrorIs(t, err, errNo)
	payer, sender := r.Accounts()[1].Address.Hex(), r.Accounts()[0].Address.Hex()
	require.Equal(t, "Move 7 wei of "+payer+" to the contract, for "+sender+"?", user.read[len(user.read)-1])
	require.Contains(t, strings.Join(user.read, "\n"), "account   "+payer)
}
