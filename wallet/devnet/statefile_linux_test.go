package devnet_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestAStoppedNetworkKeepsItsFile: while its process stands still, its port answers no more
// connections than fit into the queue.
func TestAStoppedNetworkKeepsItsFile(t *testing.T) {
	queue, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer syscall.Close(queue)
	require.NoError(t, syscall.Bind(queue, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(queue, 0))
	at, err := syscall.Getsockname(queue)
	require.NoError(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", at.(*syscall.SockaddrInet4).Port)
	waiting, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer waiting.Close()

	d := start(t, devnet.Config{Accounts: 1})
	state := d.State()
	state.RPCURL = "http://" + address
	data, err := json.Marshal(state)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "devnet.json")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	_, err = devnet.Start(t.Context(), devnet.Config{StatePath: path})
	require.ErrorIs(t, err, devnet.ErrRunning)
	kept, err := chain.ReadDevnetState(path)
	require.NoError(t, err)
	require.Equal(t, state, *kept)
}
