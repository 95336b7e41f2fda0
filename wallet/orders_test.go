package wallet

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

func TestReadOrders(t *testing.T) {
	value, err := wei.Parse("7gwei")
	require.NoError(t, err)
	orders, err := ReadOrders(strings.NewReader("# a\n\n  https://a.example \r\nb.example:1\t3 gwei\n0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed 1wei"), pay.Amount{Value: value})
	require.NoError(t, err)
	var got []string
	for _, o := range orders {
		got = append(got, o.String()+" "+o.Amount.Value.String())
	}
	marked, err := ReadOrders(strings.NewReader("\ufeffhttps://a.example 1gwei"), pay.Amount{})
	require.NoError(t, err)
	require.Equal(t, "line 1, https://a.example:8935", marked[0].String())
	require.Equal(t, []string{
		"line 3, https://a.example:8935 7 gwei", "line 4, https://b.example:1 3 gwei", "line 5, 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed 1 wei",
	}, got)
	for in, want := range map[string]error{
		"":                                    ErrOrder,
		"# only\n":                            ErrOrder,
		"https://a.example":                   ErrOrder,
		"https://a.example 0gwei":             ErrOrder,
		"https://a.example 1":                 wei.ErrNoUnit,
		"a.example 1gwei":                     pay.ErrURL,
		"0x12 1gwei":                          format.ErrAddress,
		strings.Repeat("ab", 32) + " 1":       format.ErrLooksLikeKey,
		strings.Repeat("a", format.MaxSize/2): pay.ErrURL,
		"https://a.example, 1gwei":            ErrOrder,
		"https://a.example;1gwei":             ErrOrder,
		"hunter2 horse 1gwei":                 pay.ErrURL,
		"0xhunter2 1gwei":                     format.ErrAddress,
		"https://a.example hunter2":           wei.ErrSyntax,
		"https://a.example 5hunter":           wei.ErrUnit,
		"https://a.example -5hunter2wei":      wei.ErrRange,
		"https://a.example 1gwei\n" + strings.Repeat("#\n", format.MaxSize/2): format.ErrTooLarge,
	} {
		_, err := ReadOrders(strings.NewReader(in), pay.Amount{})
		require.ErrorIs(t, err, want, "%.40q", in)
		require.NotRegexp(t, "hunter|horse", err) // as in a file with a passphrase
	}
}

// A program may pay a list that has become empty, and need not look at each payment.
func TestPayAllOfNothing(t *testing.T) {
	w, err := Open(t.Context(), Config{Account: signer.AddressOnly(common.Address{1}), Store: filepath.Join(t.TempDir(), "store.db")})
	require.NoError(t, err)
	defer w.Close()
	result, err := w.PayAll(t.Context(), nil, PayOptions{RequestID: "june"}, nil)
	require.NoError(t, err)
	require.Zero(t, result)
}
