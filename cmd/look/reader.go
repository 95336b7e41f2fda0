package look

import (
	"context"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
)

// openReader opens what looks at an account.
func openReader(ctx context.Context, r *cli.Run, network *cli.NetworkOptions, store *cli.StoreOptions, account common.Address) (*wallet.Reader, error) {
	config, err := cli.WalletConfig(r, network, store)
	if err != nil {
		return nil, err
	}
	return wallet.OpenReader(ctx, config, account)
}
