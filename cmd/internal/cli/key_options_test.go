package cli

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/keystore"
)

// leaky remembers the buffers that it was read into.
type leaky struct {
	io.Reader
	buffers [][]byte
}

func (l *leaky) Read(p []byte) (int, error) {
	l.buffers = append(l.buffers, p)
	return l.Reader.Read(p)
}

// TestAKeyFromADescriptorIsCleared reads keys, good and bad: no buffer has any of it
// afterwards, and a closed account signs nothing.
func TestAKeyFromADescriptorIsCleared(t *testing.T) {
	key, err := crypto.GenerateKey()
	require.NoError(t, err)
	good := hex.EncodeToString(crypto.FromECDSA(key))
	for _, text := range []string{good, "0x" + good + "\n", good[1:], good + good, good + "\x00", good + good + good} {
		in := &leaky{Reader: bytes.NewReader([]byte(text))}
		env := &Env{OpenFD: func(context.Context, int) (io.Reader, error) { return in, nil }}
		o := KeyOptions{FD: Descriptor{Given: true, N: 1000, inherited: true}}
		found, err := o.Find(t.Context(), env, nil, 0)
		if err != nil {
			require.ErrorIs(t, err, errKeyInput)
			require.ErrorIs(t, err, keystore.ErrBadKey)
			require.NotContains(t, err.Error(), good[8:16])
		} else {
			signer, err := found.Unlock(t.Context())
			require.NoError(t, err)
			require.Equal(t, crypto.PubkeyToAddress(key.PublicKey), signer.Address())
			found.Close()
			_, err = signer.Sign(t.Context(), []byte("m"))
			require.ErrorIs(t, err, keystore.ErrClosed)
		}
		require.NotEmpty(t, in.buffers)
		for _, buffer := range in.buffers {
			require.Equal(t, make([]byte, len(buffer)), buffer, "%d bytes of text", len(text))
		}
	}
}
