package wallet

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
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
	require.Equal(t, []string{
		"line 3, https://a.example:8935 7 gwei", "line 4, https://b.example:1 3 gwei", "line 5, 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed 1 wei",
	}, got)
	for in, want := range map[string]error{
		"":                              ErrOrder,
		"# only\n":                      ErrOrder,
		"https://a.example":             ErrOrder,
		"https://a.example 0gwei":       ErrOrder,
		"https://a.example 1":           wei.ErrNoUnit,
		"a.example 1gwei":               pay.ErrURL,
		"0x12 1gwei":                    format.ErrAddress,
		strings.Repeat("ab", 32) + " 1": format.ErrLooksLikeKey,
		"https://a.example 1gwei\n" + strings.Repeat("#\n", format.MaxSize/2): format.ErrTooLarge,
	} {
		_, err := ReadOrders(strings.NewReader(in), pay.Amount{})
		require.ErrorIs(t, err, want, "%.40q", in)
	}
}
