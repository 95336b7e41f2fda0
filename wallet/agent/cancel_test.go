package agent

import (
	"context"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/signer"
)

// TestASignatureEndsWithItsContext: nothing waits for an agent that does not answer any more,
// whatever it was to sign, and package pm does not either.
func TestASignatureEndsWithItsContext(t *testing.T) {
	silent, err := net.Listen("unix", filepath.Join(t.TempDir(), "sock"))
	require.NoError(t, err)
	defer silent.Close()
	client := NewClient(silent.Addr().String())
	defer client.Close()
	s := NewSigner(client, &Status{Account: format.Address(common.Address{1}), ChainID: 1337})
	message := wire.OrchestratorRequestMessage(s.Address())
	for name, sign := range map[string]func(context.Context) error{
		"message": func(ctx context.Context) error { _, err := s.Sign(ctx, message); return err },
		"credentials": func(ctx context.Context) error {
			_, err := s.SegmentHeader(ctx, new(wire.AuthToken))
			return err
		},
		"transaction": func(ctx context.Context) error {
			_, err := s.SignTx(ctx, types.NewTx(&types.LegacyTx{To: &common.Address{2}}), big.NewInt(1337))
			return err
		},
		"message by way of pm": func(ctx context.Context) error { _, err := signer.ForPM(ctx, s).Sign(message); return err },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			// The request has come, and is not answered.
			conn, err := silent.Accept()
			if err == nil {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 1))
			}
			cancel()
			<-ctx.Done()
		}()
		require.ErrorIs(t, sign(ctx), context.Canceled, name)
	}
}

// TestASilentAgent, as one that was stopped with SIGSTOP, does not stop the programs that look for it.
func TestASilentAgent(t *testing.T) {
	silent, err := net.Listen("unix", filepath.Join(t.TempDir(), "sock"))
	require.NoError(t, err)
	defer silent.Close()
	client := NewClient(silent.Addr().String())
	defer client.Close()
	client.patience = 50 * time.Millisecond
	for name, ask := range map[string]func(context.Context) (*Status, error){"status": client.Status, "lock": client.Lock, "stop": client.Stop} {
		t.Run(name, func(t *testing.T) {
			_, err := ask(t.Context())
			require.Equal(t, &SilentError{client.Path(), client.patience}, err)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = ask(ctx)
			require.Equal(t, context.Canceled, err)
		})
	}
}
