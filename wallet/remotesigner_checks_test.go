package wallet

import (
	"context"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/internal/facts"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
)

type knownChain struct{}

func (knownChain) Facts(context.Context, common.Address, ...pm.Counterparty) (pm.Facts, error) {
	return pm.Facts{Sender: new(pm.SenderInfo)}, nil
}

// TestOldFactsHaveAReason: facts may be too old while the node is asked for newer ones, before that has failed.
func TestOldFactsHaveAReason(t *testing.T) {
	key, err := signer.RawKey([]byte("0000000000000000000000000000000000000000000000000000000000000001"))
	require.NoError(t, err)
	now := time.Now()
	s := &RemoteSigner{key: key, cache: facts.New(knownChain{}, key.Address(), func() time.Time { return now }, time.After, nil)}
	s.current.Store(&signerSettings{limits: policy.Default()})
	_, err = s.facts()
	require.ErrorContains(t, err, "no data from the chain: the node was asked, and has not answered yet")
	_, _, err = s.cache.Renew(t.Context(), nil)
	require.NoError(t, err)
	_, err = s.facts()
	require.NoError(t, err)
	now = now.Add(policy.Default().MaxHeadAge + time.Second)
	_, err = s.facts()
	require.ErrorContains(t, err, "is 31s old, and may be 30s old: the node was asked, and has not answered yet")
}
