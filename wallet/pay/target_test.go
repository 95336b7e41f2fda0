package pay

import (
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/store"
)

func TestParseTarget(t *testing.T) {
	const address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	for in, want := range map[string]string{
		address:                             address,
		"https://recipient.example":         "https://recipient.example:8935",
		"recipient.example:1":               "https://recipient.example:1",
		strings.ToLower(address):            address,
		"0x" + strings.ToUpper(address[2:]): address,
	} {
		to, err := ParseTarget(in)
		require.NoError(t, err, in)
		require.Equal(t, want, to.String())
		require.Equal(t, strings.HasPrefix(in, "0x"), to.URL == (URL{}), "one of the two")
	}
	for in, want := range map[string]error{
		"0x1234":      format.ErrAddress,
		"0X1234:8935": format.ErrAddress,
		"0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed": format.ErrChecksum,
		"0x0000000000000000000000000000000000000000": format.ErrAddress,
		address[2:]: ErrURL,
		"":          ErrURL,
	} {
		_, err := ParseTarget(in)
		require.ErrorIs(t, err, want, in)
	}
	// A key that was pasted is not repeated, with 0x or without.
	for _, key := range []string{strings.Repeat("ab", 32), "0x" + strings.Repeat("ab", 32)} {
		_, err := ParseTarget(key)
		require.ErrorIs(t, err, format.ErrLooksLikeKey)
		require.NotContains(t, err.Error(), "abab")
	}
}

// TestOnlyTheNamedAddressIsPaid: the address that the user names replaces a pinned one, and
// no other does.
func TestOnlyTheNamedAddressIsPaid(t *testing.T) {
	u := parse(t, "https://recipient.example")
	was, named, other := common.Address{1}, common.Address{2}, common.Address{3}
	_, session := newShop(t)
	known := session.Payer.Nonces.(*store.Chain)
	pins := func(only common.Address) Pins { return Pins{Known: known, Sender: common.Address{9}, Only: only} }
	require.NoError(t, pins(common.Address{}).Keep(t.Context(), u, was))

	for _, err := range []error{pins(named).Check(t.Context(), u, was), pins(named).Keep(t.Context(), u, other)} {
		var refused *OtherRecipientError
		require.ErrorAs(t, err, &refused)
		require.True(t, refused.Named)
		require.Equal(t, named, refused.Was)
	}
	pinned, err := known.Recipient(t.Context(), common.Address{9}, u.String())
	require.NoError(t, err)
	require.Equal(t, was, pinned, "a refusal pins nothing")
	require.NoError(t, pins(named).Check(t.Context(), u, named))
	require.NoError(t, pins(named).Keep(t.Context(), u, named))
	require.Error(t, pins(common.Address{}).Check(t.Context(), u, was))
}
