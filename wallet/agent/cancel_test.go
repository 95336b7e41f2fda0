//go:build linux || darwin

package agent

import (
	"bufio"
	"context"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
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
			require.Equal(t, noAnswer(client.Path(), client.patience), err)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = ask(ctx)
			require.Equal(t, context.Canceled, err)
		})
	}
}

// TestASocketEndsWithItsListener: a listener that fails ends the connections that were open,
// too: what answers their requests is closed after Serve.
func TestASocketEndsWithItsListener(t *testing.T) {
	folder, err := os.MkdirTemp("", "agent")
	require.NoError(t, err)
	defer os.RemoveAll(folder)
	socket, err := Listen(filepath.Join(folder, "s"))
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- socket.Serve(t.Context(), http.NotFoundHandler()) }()
	c, err := net.Dial("unix", filepath.Join(folder, "s"))
	require.NoError(t, err)
	defer c.Close()
	answers := bufio.NewReader(c)
	ask := func() error {
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: agent\r\n\r\n"); err != nil {
			return err
		}
		answer, err := http.ReadResponse(answers, nil)
		if err == nil {
			_, err = io.Copy(io.Discard, answer.Body)
		}
		return err
	}
	require.NoError(t, ask())
	require.NoError(t, socket.listener.Close())
	require.ErrorIs(t, <-ended, net.ErrClosed)
	require.Error(t, ask())
	_, err = Listen(filepath.Join(folder, "s"))
	require.ErrorIs(t, err, ErrRunning, "until its store is closed, too")
	socket.Close()
	next, err := Listen(filepath.Join(folder, "s"))
	require.NoError(t, err)
	next.Close()
}

// TestAnAgentEndsWithItsSocket: no command could stop an agent whose socket was removed, or close its key. The
// socket of another agent, which has taken its place, stays.
func TestAnAgentEndsWithItsSocket(t *testing.T) {
	folder, err := os.MkdirTemp("", "agent")
	require.NoError(t, err)
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "run", "s")
	first, err := Listen(path)
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(filepath.Dir(path)))
	second, err := Listen(path)
	require.NoError(t, err)
	defer second.Close()
	first.every, second.every = time.Millisecond, time.Millisecond
	require.ErrorContains(t, first.Serve(t.Context(), http.NotFoundHandler()), "its socket "+path+" was removed or replaced")
	first.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- second.Serve(ctx, http.NotFoundHandler()) }()
	c, err := net.Dial("unix", path)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	cancel()
	require.NoError(t, <-ended)
	require.NoFileExists(t, path)
}
