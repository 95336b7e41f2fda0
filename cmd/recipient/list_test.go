package recipient

import (
	"bytes"
	"fmt"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet/format"
)

// TestAHundredRecipientsFit: a header and a line each, as narrow as an address and a URL are;
// below that a list of fields each.
func TestAHundredRecipientsFit(t *testing.T) {
	list := recipientList{}
	for i := range 100 {
		address := format.Address(common.BigToAddress(big.NewInt(int64(i))))
		list.Recipients = append(list.Recipients, recipientEntry{address, true, fmt.Sprintf("https://orchestrator-%d.example:8935", i), ""})
	}
	for columns, want := range map[int]int{120: 101, 81: 101, 0: 101, 60: 100*2 + 99} {
		var out bytes.Buffer
		r := cli.NewRun(&cli.Env{Out: &out, OutTerminal: columns > 0, OutSize: func() (int, int) { return columns, 0 }, Getenv: func(string) string { return "" }})
		list.write(cli.OutPage(r))
		require.Equal(t, want, bytes.Count(out.Bytes(), []byte("\n")), "%d columns:\n%s", columns, out.String())
	}
}
